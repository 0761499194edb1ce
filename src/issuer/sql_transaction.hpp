// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/store.hpp>

#include "sql_database.hpp"

namespace tallycard::sql {

// A transaction that is about to begin or has. The database must outlive it.
class Transaction final : public StoreTransaction {
public:
    explicit Transaction(Database& database) : database_(&database) {}
    ~Transaction() override
    {
        if (open_) database_->roll_back();
    }
    Result<void> commit() override
    {
        if (const auto done = database_->commit(); !done) return done;
        open_ = false;
        return {};
    }

    Result<std::optional<std::string>> issuer() override;
    Result<void> put_issuer(const std::string& text) override;

    Result<std::optional<CardRow>> card(const CardId& card_id) override;
    Result<std::optional<CardRow>> card_of_transport_key(const Digest& digest) override;
    Result<std::optional<SealedPersonalisation>> personalisation(const CardId& card_id) override;
    Result<void> put_personalisation(const CardId& card_id,
                                     const SealedPersonalisation& sealed) override;
    Result<void> insert_card(const CardRow& row) override;
    Result<void> update_card(const CardRow& row) override;
    Result<std::vector<CardRow>> cards(const std::optional<CardId>& after,
                                       std::size_t limit) override;

    Result<std::optional<OperationRow>> operation(const OperationId& id) override;
    Result<std::vector<OperationRow>> operations(const CardId& card_id,
                                                 std::uint32_t sequence) override;
    Result<void> insert_operation(const OperationRow& row) override;
    Result<std::uint64_t> restored_count() override;

    Result<std::optional<AccountRow>> account(const AccountName& name) override;
    Result<void> put_account(const AccountRow& row) override;
    Result<std::vector<AccountRow>> accounts(const std::optional<AccountName>& after,
                                             std::size_t limit) override;
    Result<std::int64_t> sum_of_books() override;
    Result<std::int64_t> issued() override;

    Result<std::uint64_t> record_count() override;
    Result<std::optional<Record>> record(std::uint64_t index) override;
    Result<std::optional<std::uint64_t>> record_index(const CardId& card_id,
                                                      std::uint32_t sequence) override;
    Result<void> append_record(std::uint64_t index, const Record& record,
                               const std::optional<Posting>& posting) override;
    Result<std::optional<Posting>> posting(std::uint64_t index) override;

    Result<Digest> node(unsigned level, std::uint64_t index) override;
    Result<void> put_node(unsigned level, std::uint64_t index, const Digest& hash) override;

    Result<void> keep(const KeptRow& row) override;
    Result<std::vector<KeptRow>> kept(const CardId& card_id, std::uint32_t sequence) override;
    Result<void> drop_kept(const CardId& card_id, std::uint32_t sequence) override;
    Result<std::size_t> kept_count() override;

    Result<void> put_evidence(const EvidenceRow& row) override;
    Result<std::vector<EvidenceRow>> evidence(std::size_t skip, std::size_t limit) override;
    Result<std::vector<EvidenceRow>> evidence(const CardId& card_id) override;

    Result<std::optional<std::string>> checkpoint() override;
    Result<void> put_checkpoint(const std::string& note) override;

    Result<std::vector<ChainRow>> chains() override;
    Result<void> put_chain(const ChainRow& row) override;
    Result<std::vector<OutboxRow>> outbox(const ChainName& name) override;
    Result<void> insert_outbox(const ChainName& name, const OutboxRow& row) override;
    Result<void> update_outbox(const ChainName& name, const OutboxRow& row) override;
    Result<void> drop_outbox(const ChainName& name, std::uint64_t nonce) override;

private:
    Database* database_;
    bool open_ = true;
};

// Reads at most one row by `read(query)`. What does not read back is damage.
template <class Read>
auto one_row(Query& query, Read&& read) -> Result<std::optional<decltype(read(query))>>
{
    using Row = decltype(read(query));
    const auto stepped = query.step();
    if (!stepped) return stepped.error();
    if (*stepped == Step::done) return std::optional<Row>();
    auto row = read(query);
    if (!query.ok()) return damaged();
    return std::optional<Row>(std::move(row));
}

// The same for every row.
template <class Read>
auto all_rows(Query& query, Read&& read) -> Result<std::vector<decltype(read(query))>>
{
    std::vector<decltype(read(query))> rows;
    for (;;) {
        const auto stepped = query.step();
        if (!stepped) return stepped.error();
        if (*stepped == Step::done) return rows;
        rows.push_back(read(query));
        if (!query.ok()) return damaged();
    }
}

// A column that holds an object of the protocol.
template <class T>
T object(Query& query)
{
    auto decoded = T::decode(query.blob());
    query.require(decoded.has_value());
    return decoded ? std::move(*decoded) : T{};
}

inline std::int64_t as_column(std::uint64_t n)
{
    return static_cast<std::int64_t>(n);
}

}  // namespace tallycard::sql
