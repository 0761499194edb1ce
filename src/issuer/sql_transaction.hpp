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
    Result<std::vector<OperationRow>> consented(const AccountId& account) override;
    Result<std::vector<OperationRow>> refunds(const PaymentName& payment) override;

    Result<std::optional<AccountRow>> account(const AccountName& name) override;
    Result<void> put_account(const AccountRow& row) override;
    Result<std::vector<AccountRow>> accounts(const std::optional<AccountName>& after,
                                             std::size_t limit) override;
    Result<std::int64_t> sum_of_books() override;
    Result<std::int64_t> issued() override;

    Result<LedgerEnd> ledger_end() override;
    Result<std::optional<Entry>> entry(std::uint64_t index) override;
    Result<std::optional<std::uint64_t>> record_index(const CardId& card_id,
                                                      std::uint32_t sequence) override;
    Result<std::optional<std::uint64_t>> order_index(const AccountName& account,
                                                     const OperationId& id) override;
    Result<void> append_entry(std::uint64_t index, const Entry& entry,
                              const std::optional<Posting>& posting) override;
    Result<std::optional<Posting>> posting(std::uint64_t index) override;
    Result<std::vector<std::uint64_t>> entries_of(const AccountName& account, std::uint64_t from,
                                                  std::size_t limit) override;
    Result<std::vector<std::uint64_t>> entries_by(const AccountId& terminal, std::uint64_t from,
                                                  std::size_t limit) override;
    Result<std::optional<Posting>> last_posting(const AccountName& account,
                                                std::uint64_t before) override;
    Result<void> put_reference(std::uint64_t index, const Reference& reference) override;
    Result<std::optional<Reference>> reference(std::uint64_t index) override;

    Result<Digest> node(unsigned level, std::uint64_t index) override;
    Result<void> put_node(unsigned level, std::uint64_t index, const Digest& hash) override;

    Result<void> keep(const KeptRow& row) override;
    Result<std::vector<KeptRow>> kept(const CardId& card_id, std::uint32_t sequence) override;
    Result<void> drop_kept(const CardId& card_id, std::uint32_t sequence) override;
    Result<std::vector<KeptRow>> kept(const CardId& card_id) override;
    Result<std::size_t> kept_count() override;
    Result<std::vector<CardId>> cards_with_kept(const std::optional<CardId>& after,
                                                std::size_t limit) override;

    Result<void> insert_gap(const GapRow& row) override;
    Result<void> update_gap(const GapRow& row) override;
    Result<std::vector<GapRow>> gaps(const CardId& card_id) override;

    Result<std::vector<DenyListLine>> deny_list(std::uint64_t from, std::size_t limit) override;
    Result<void> append_denial(const DenyListLine& row) override;

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
    Result<void> insert_order(std::uint64_t index, const AccountOrder& order);
    Result<void> insert_posting(std::uint64_t index, const Posting& posting);
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
inline std::int64_t as_column(Time time)
{
    return time.time_since_epoch().count();
}

// Columns that may be null.
template <class Read>
auto maybe(Query& query, Read&& read) -> std::optional<decltype(read(query))>
{
    if (!query.next_is_null()) return read(query);
    query.skip();
    return std::nullopt;
}
// The value must outlive the query; it is bound where it is there.
template <class T, class Column>
void bind_maybe(Query& query, const std::optional<T>& value, Column&& column)
{
    if (value) {
        query.bind(column(*value));
    } else {
        query.bind_null();
    }
}

// Columns of their own types; what does not fit fails the query.
std::uint32_t read_sequence(Query& query);
Balance read_balance(Query& query);
Time read_time(Query& query);
CardState read_state(Query& query);
AccountId read_account_id(Query& query);
Reference read_reference(Query& query);

}  // namespace tallycard::sql
