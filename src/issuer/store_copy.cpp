// SPDX-License-Identifier: Apache-2.0
#include <tallycard/store_copy.hpp>

#include <string>

#include "../protocol/command_data.hpp"
#include "ledger_tree.hpp"
#include "running_hash.hpp"
#include "store_walk.hpp"

namespace tallycard {
namespace {

// Hashes every row as a line of text, and makes the tree anew from its records.
class Summing {
public:
    Result<void> issuer(const std::string& text) { return line("issuer", text_of(text)); }
    Result<void> card(const CardRow& row)
    {
        ++sum_.cards;
        return line("card", row.card_id.to_string(), row.certificate.to_string(),
                    row.public_key.to_string(), row.transport_key.to_string(),
                    row.first_operation_key.to_string(), row.operation_key.to_string(),
                    std::to_string(row.issued), std::to_string(row.denied), name(row.state),
                    std::to_string(row.settled), std::to_string(row.balance.to_minor_units()),
                    row.last_result.to_string(), to_hex(encode_limits(row.limits)),
                    std::to_string(row.offline_spent.to_minor_units()),
                    std::to_string(row.recovered), text_of(row.lost_since),
                    text_of(row.given_up_at), text_of(row.written_off));
    }
    Result<void> personalisation(const CardId& card_id, const SealedPersonalisation& sealed)
    {
        return line("personalisation", card_id.to_string(), to_hex(sealed));
    }
    Result<void> account(const AccountRow& row)
    {
        ++sum_.accounts;
        return line("account", row.name.to_string(), std::to_string(row.balance),
                    std::to_string(row.reserved), std::to_string(row.number), text_of(row.key),
                    text_of(row.key_before));
    }
    Result<void> entry(std::uint64_t index, const Entry& entry,
                       const std::optional<Posting>& posting)
    {
        const auto bytes = entry.encode();
        tree_.append(merkle::leaf_hash(bytes));
        const auto moved = posting
                               ? posting->debit.to_string() + ' ' + posting->credit.to_string() +
                                     ' ' + std::to_string(posting->amount.to_minor_units()) + ' ' +
                                     std::to_string(posting->debit_after) + ' ' +
                                     std::to_string(posting->credit_after)
                               : std::string("-");
        return line("entry", std::to_string(index), to_hex(bytes), moved);
    }
    Result<void> reference(std::uint64_t index, const Reference& reference)
    {
        return line("reference", std::to_string(index), to_hex(reference.bytes()));
    }
    Result<void> operation(const OperationRow& row)
    {
        ++sum_.operations;
        return line(
            "operation", text_of(row.id), row.request.to_string(), to_hex(row.first.encode()),
            row.terminal ? std::string(row.terminal->text()) : std::string("-"),
            std::to_string(static_cast<unsigned>(row.as)), text_of(row.consent),
            row.refunds
                ? row.refunds->card_id.to_string() + '/' + std::to_string(row.refunds->sequence)
                : std::string("-"));
    }
    Result<void> kept(const KeptRow& row)
    {
        ++sum_.kept;
        return line("kept", to_hex(row.receipt.encode()), to_hex(row.executed.encode()),
                    std::string(row.terminal.text()), text_of(std::optional(row.since)),
                    row.reference ? to_hex(row.reference->bytes()) : std::string("-"));
    }
    Result<void> gap(const GapRow& row)
    {
        return line("gap", row.card_id.to_string(), std::to_string(row.first),
                    std::to_string(row.last), std::to_string(row.index), name(row.state_before),
                    std::to_string(row.balance_before.to_minor_units()),
                    std::to_string(row.balance_after.to_minor_units()),
                    row.result_before.to_string(), row.result_after.to_string(),
                    row.operation_key.to_string(), std::to_string(row.left));
    }
    Result<void> denial(const DenyListLine& row) { return line("denial", row.to_string()); }
    Result<void> evidence(const EvidenceRow& row)
    {
        ++sum_.evidence;
        return line("evidence", name(row.reason), to_hex(row.receipt.encode()),
                    row.operation ? to_hex(row.operation->encode()) : std::string("-"));
    }
    Result<void> checkpoint(const std::string& note) { return line("checkpoint", text_of(note)); }
    Result<void> chain(const ChainRow& row)
    {
        return line("chain", std::to_string(row.name.chain_id), row.name.contract.to_string(),
                    std::to_string(row.final_entries));
    }
    Result<void> outbox(const ChainName&, const OutboxRow& row)
    {
        return line("outbox", std::to_string(row.nonce),
                    std::to_string(static_cast<unsigned>(row.kind)),
                    std::to_string(static_cast<unsigned>(row.state)), std::to_string(row.first),
                    std::to_string(row.entries), std::to_string(row.block), row.hash.to_string(),
                    to_hex(row.raw));
    }

    StoreSummary finish()
    {
        sum_.head = {.size = tree_.size(), .root = tree_.root()};
        sum_.rows = hash_.finish();
        return sum_;
    }

private:
    // A text of several lines, in one.
    static std::string text_of(const std::string& text)
    {
        return to_hex({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    }
    static std::string text_of(const std::optional<Time>& time)
    {
        return time ? std::to_string(time->time_since_epoch().count()) : "-";
    }
    static std::string text_of(const std::optional<std::uint32_t>& number)
    {
        return number ? std::to_string(*number) : "-";
    }
    template <std::size_t N, class Tag>
    static std::string text_of(const std::optional<FixedBytes<N, Tag>>& bytes)
    {
        return bytes ? bytes->to_string() : "-";
    }
    template <class... Words>
    Result<void> line(const char* kind, const Words&... words)
    {
        std::string text = kind;
        ((text += ' ', text += words), ...);
        hash_.update(text += '\n');
        return {};
    }
    StoreSummary sum_;
    RunningHash hash_;
    merkle::Frontier tree_;
};

class Copying {
public:
    explicit Copying(StoreTransaction& to) : to_(&to), tree_(to) {}
    Result<void> issuer(const std::string& text) { return to_->put_issuer(text); }
    Result<void> card(const CardRow& row) { return to_->insert_card(row); }
    Result<void> personalisation(const CardId& card_id, const SealedPersonalisation& sealed)
    {
        return to_->put_personalisation(card_id, sealed);
    }
    Result<void> account(const AccountRow& row) { return to_->put_account(row); }
    Result<void> entry(std::uint64_t index, const Entry& entry,
                       const std::optional<Posting>& posting)
    {
        if (auto done = to_->append_entry(index, entry, posting); !done) return done;
        return tree_.append(index, merkle::leaf_hash(entry.encode()));
    }
    Result<void> reference(std::uint64_t index, const Reference& reference)
    {
        return to_->put_reference(index, reference);
    }
    Result<void> operation(const OperationRow& row) { return to_->insert_operation(row); }
    Result<void> kept(const KeptRow& row) { return to_->keep(row); }
    Result<void> gap(const GapRow& row) { return to_->insert_gap(row); }
    Result<void> denial(const DenyListLine& row) { return to_->append_denial(row); }
    Result<void> evidence(const EvidenceRow& row) { return to_->put_evidence(row); }
    Result<void> checkpoint(const std::string& note) { return to_->put_checkpoint(note); }
    Result<void> chain(const ChainRow& row) { return to_->put_chain(row); }
    Result<void> outbox(const ChainName& name, const OutboxRow& row)
    {
        return to_->insert_outbox(name, row);
    }

private:
    StoreTransaction* to_;
    LedgerTree tree_;
};

Result<void> check_empty(StoreTransaction& store)
{
    const auto issuer = store.issuer();
    if (!issuer) return issuer.error();
    const auto cards = store.cards(std::nullopt, 1);
    if (!cards) return cards.error();
    if (*issuer || !cards->empty())
        return Error{.code = Errc::conflict, .where = "the store to copy to, which is not empty"};
    return {};
}

}  // namespace

Result<StoreSummary> summarise(StoreTransaction& store)
{
    Summing summing;
    if (const auto walked = StoreWalk(store, summing).run(); !walked) return walked.error();
    const auto sum = summing.finish();
    const auto root = LedgerTree(store).root(sum.head.size);
    if (!root) return root.error();
    if (*root != sum.head.root) return Error{.code = Errc::file_damaged, .where = "ledger"};
    const auto books = store.sum_of_books();
    if (!books) return books.error();
    if (*books != 0) return Error{.code = Errc::file_damaged, .where = "sum of the books"};
    return sum;
}

Result<StoreSummary> copy_store(Store& from, Store& to)
{
    // For writing, too: whoever settled into it meanwhile would be forgotten.
    const auto source = from.write();
    if (!source) return source.error();
    const auto target = to.write();
    if (!target) return target.error();
    if (const auto empty = check_empty(**target); !empty) return empty.error();
    const auto before = summarise(**source);
    if (!before) return before;
    Copying copying(**target);
    if (const auto copied = StoreWalk(**source, copying).run(); !copied) return copied.error();
    const auto after = summarise(**target);
    if (!after) return after;
    if (*after != *before) return Error{.code = Errc::file_damaged, .where = "the copy"};
    if (const auto committed = (*target)->commit(); !committed) return committed.error();
    return after;
}

}  // namespace tallycard
