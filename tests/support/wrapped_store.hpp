// SPDX-License-Identifier: Apache-2.0
// A store with something before every call of its transactions, which may make the call fail.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <tallycard/store.hpp>

namespace tallycard::test {

// What a call has to answer instead of being made; nothing: it is made.
using BeforeCall = std::function<std::optional<Error>()>;

class WrappedTransaction : public StoreTransaction {
public:
    WrappedTransaction(std::unique_ptr<StoreTransaction> below, const BeforeCall& before)
        : below_(std::move(below)), before_(before)
    {
    }

    Result<void> commit() override
    {
        return call([&] { return below_->commit(); });
    }
    Result<std::optional<std::string>> issuer() override
    {
        return call([&] { return below_->issuer(); });
    }
    Result<void> put_issuer(const std::string& text) override
    {
        return call([&] { return below_->put_issuer(text); });
    }
    Result<std::optional<CardRow>> card(const CardId& card_id) override
    {
        return call([&] { return below_->card(card_id); });
    }
    Result<std::optional<CardRow>> card_of_transport_key(const Digest& digest) override
    {
        return call([&] { return below_->card_of_transport_key(digest); });
    }
    Result<std::optional<SealedPersonalisation>> personalisation(const CardId& card_id) override
    {
        return call([&] { return below_->personalisation(card_id); });
    }
    Result<void> put_personalisation(const CardId& card_id,
                                     const SealedPersonalisation& sealed) override
    {
        return call([&] { return below_->put_personalisation(card_id, sealed); });
    }
    Result<std::uint64_t> restored_count() override
    {
        return call([&] { return below_->restored_count(); });
    }
    Result<void> insert_card(const CardRow& row) override
    {
        return call([&] { return below_->insert_card(row); });
    }
    Result<void> update_card(const CardRow& row) override
    {
        return call([&] { return below_->update_card(row); });
    }
    Result<std::vector<CardRow>> cards(const std::optional<CardId>& after,
                                       std::size_t limit) override
    {
        return call([&] { return below_->cards(after, limit); });
    }
    Result<std::optional<OperationRow>> operation(const OperationId& id) override
    {
        return call([&] { return below_->operation(id); });
    }
    Result<std::vector<OperationRow>> operations(const CardId& card_id,
                                                 std::uint32_t sequence) override
    {
        return call([&] { return below_->operations(card_id, sequence); });
    }
    Result<void> insert_operation(const OperationRow& row) override
    {
        return call([&] { return below_->insert_operation(row); });
    }
    Result<std::optional<AccountRow>> account(const AccountName& name) override
    {
        return call([&] { return below_->account(name); });
    }
    Result<void> put_account(const AccountRow& row) override
    {
        return call([&] { return below_->put_account(row); });
    }
    Result<std::vector<AccountRow>> accounts(const std::optional<AccountName>& after,
                                             std::size_t limit) override
    {
        return call([&] { return below_->accounts(after, limit); });
    }
    Result<std::int64_t> sum_of_books() override
    {
        return call([&] { return below_->sum_of_books(); });
    }
    Result<std::int64_t> issued() override
    {
        return call([&] { return below_->issued(); });
    }
    Result<std::vector<OperationRow>> consented(const AccountId& account) override
    {
        return call([&] { return below_->consented(account); });
    }
    Result<std::vector<OperationRow>> refunds(const PaymentName& payment) override
    {
        return call([&] { return below_->refunds(payment); });
    }
    Result<LedgerEnd> ledger_end() override
    {
        return call([&] { return below_->ledger_end(); });
    }
    Result<std::optional<Entry>> entry(std::uint64_t index) override
    {
        return call([&] { return below_->entry(index); });
    }
    Result<std::optional<std::uint64_t>> order_index(const AccountName& account,
                                                     const OperationId& id) override
    {
        return call([&] { return below_->order_index(account, id); });
    }
    Result<std::optional<std::uint64_t>> record_index(const CardId& card_id,
                                                      std::uint32_t sequence) override
    {
        return call([&] { return below_->record_index(card_id, sequence); });
    }
    Result<void> append_entry(std::uint64_t index, const Entry& entry,
                              const std::optional<Posting>& posting) override
    {
        return call([&] { return below_->append_entry(index, entry, posting); });
    }
    Result<std::vector<std::uint64_t>> entries_of(const AccountName& account, std::uint64_t from,
                                                  std::size_t limit) override
    {
        return call([&] { return below_->entries_of(account, from, limit); });
    }
    Result<std::vector<std::uint64_t>> entries_by(const AccountId& terminal, std::uint64_t from,
                                                  std::size_t limit) override
    {
        return call([&] { return below_->entries_by(terminal, from, limit); });
    }
    Result<std::optional<Posting>> last_posting(const AccountName& account,
                                                std::uint64_t before) override
    {
        return call([&] { return below_->last_posting(account, before); });
    }
    Result<void> put_reference(std::uint64_t index, const Reference& reference) override
    {
        return call([&] { return below_->put_reference(index, reference); });
    }
    Result<std::optional<Reference>> reference(std::uint64_t index) override
    {
        return call([&] { return below_->reference(index); });
    }
    Result<std::optional<Posting>> posting(std::uint64_t index) override
    {
        return call([&] { return below_->posting(index); });
    }
    Result<Digest> node(unsigned level, std::uint64_t index) override
    {
        return call([&] { return below_->node(level, index); });
    }
    Result<void> put_node(unsigned level, std::uint64_t index, const Digest& hash) override
    {
        return call([&] { return below_->put_node(level, index, hash); });
    }
    Result<void> keep(const KeptRow& row) override
    {
        return call([&] { return below_->keep(row); });
    }
    Result<std::vector<KeptRow>> kept(const CardId& card_id, std::uint32_t sequence) override
    {
        return call([&] { return below_->kept(card_id, sequence); });
    }
    Result<void> drop_kept(const CardId& card_id, std::uint32_t sequence) override
    {
        return call([&] { return below_->drop_kept(card_id, sequence); });
    }
    Result<std::vector<KeptRow>> kept(const CardId& card_id) override
    {
        return call([&] { return below_->kept(card_id); });
    }
    Result<std::vector<CardId>> cards_with_kept(const std::optional<CardId>& after,
                                                std::size_t limit) override
    {
        return call([&] { return below_->cards_with_kept(after, limit); });
    }
    Result<void> insert_gap(const GapRow& row) override
    {
        return call([&] { return below_->insert_gap(row); });
    }
    Result<void> update_gap(const GapRow& row) override
    {
        return call([&] { return below_->update_gap(row); });
    }
    Result<std::vector<GapRow>> gaps(const CardId& card_id) override
    {
        return call([&] { return below_->gaps(card_id); });
    }
    Result<std::vector<DenyListLine>> deny_list(std::uint64_t from, std::size_t limit) override
    {
        return call([&] { return below_->deny_list(from, limit); });
    }
    Result<void> append_denial(const DenyListLine& line) override
    {
        return call([&] { return below_->append_denial(line); });
    }
    Result<std::size_t> kept_count() override
    {
        return call([&] { return below_->kept_count(); });
    }
    Result<void> put_evidence(const EvidenceRow& row) override
    {
        return call([&] { return below_->put_evidence(row); });
    }
    Result<std::vector<EvidenceRow>> evidence(std::size_t skip, std::size_t limit) override
    {
        return call([&] { return below_->evidence(skip, limit); });
    }
    Result<std::vector<EvidenceRow>> evidence(const CardId& card_id) override
    {
        return call([&] { return below_->evidence(card_id); });
    }
    Result<std::optional<std::string>> checkpoint() override
    {
        return call([&] { return below_->checkpoint(); });
    }
    Result<void> put_checkpoint(const std::string& note) override
    {
        return call([&] { return below_->put_checkpoint(note); });
    }
    Result<std::vector<ChainRow>> chains() override
    {
        return call([&] { return below_->chains(); });
    }
    Result<void> put_chain(const ChainRow& row) override
    {
        return call([&] { return below_->put_chain(row); });
    }
    Result<std::vector<OutboxRow>> outbox(const ChainName& name) override
    {
        return call([&] { return below_->outbox(name); });
    }
    Result<void> insert_outbox(const ChainName& name, const OutboxRow& row) override
    {
        return call([&] { return below_->insert_outbox(name, row); });
    }
    Result<void> update_outbox(const ChainName& name, const OutboxRow& row) override
    {
        return call([&] { return below_->update_outbox(name, row); });
    }
    Result<void> drop_outbox(const ChainName& name, std::uint64_t nonce) override
    {
        return call([&] { return below_->drop_outbox(name, nonce); });
    }

protected:
    StoreTransaction& below() { return *below_; }

private:
    template <class Call>
    auto call(Call&& made) -> std::invoke_result_t<Call>
    {
        if (const auto error = before_()) return *error;
        return made();
    }
    std::unique_ptr<StoreTransaction> below_;
    const BeforeCall& before_;
};

template <class Transaction = WrappedTransaction>
class WrappedStore final : public Store {
public:
    WrappedStore(std::unique_ptr<Store> below, BeforeCall before)
        : below_(std::move(below)), before_(std::move(before))
    {
    }
    Result<std::unique_ptr<StoreTransaction>> write() override { return wrap(below_->write()); }
    Result<std::unique_ptr<StoreTransaction>> read() override { return wrap(below_->read()); }

private:
    Result<std::unique_ptr<StoreTransaction>> wrap(
        Result<std::unique_ptr<StoreTransaction>> begun) const
    {
        if (!begun) return begun.error();
        return std::unique_ptr<StoreTransaction>(
            std::make_unique<Transaction>(std::move(*begun), before_));
    }
    std::unique_ptr<Store> below_;
    BeforeCall before_;
};

}  // namespace tallycard::test
