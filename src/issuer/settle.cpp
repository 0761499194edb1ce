// SPDX-License-Identifier: Apache-2.0
#include "settlement.hpp"

#include <algorithm>

#include <tallycard/verify.hpp>

#include "books.hpp"
#include "ledger_tree.hpp"

namespace tallycard {
namespace {

// As many results as a card's log holds. The platform signs for a card only when all of them have
// settled, and at most 15 payments follow: no card that keeps the rules is further ahead.
constexpr std::uint32_t furthest_ahead = 16;

Error refusal(Errc code)
{
    return Error{.code = code, .where = "settle"};
}

// Why a result does not follow from where the card stood. Sequence and operation are right.
std::optional<EvidenceReason> contradiction(const CardRow& card, const Operation& operation,
                                            const CardResult& result)
{
    if (result.previous_result != card.last_result) return EvidenceReason::broken_chain;
    if (checked_add(card.balance, operation.amount) != result.balance)
        return EvidenceReason::wrong_balance;
    if (!admits(card.state, operation.kind) || result.state != next(card.state, operation.kind))
        return EvidenceReason::wrong_state;
    return std::nullopt;
}

}  // namespace

bool is_store_error(const Error& error)
{
    return error.code == Errc::store_failed || error.code == Errc::file_damaged ||
           error.code == Errc::file_in_use || error.code == Errc::store_busy ||
           error.code == Errc::store_unreachable ||
           error.code == Errc::conflict;  // a constraint of the store: never an answer of ours
}

Result<Settlement> Settler::settle(const Submission& submission)
{
    const auto& receipt = submission.receipt;
    if (!receipt.result.valid()) return refusal(Errc::malformed);
    const auto& came = submission.executed;
    if (came && came->operation.kind == Kind::payment && came->issuer_signature)
        return refusal(Errc::malformed);
    auto card = store_->card(receipt.result.card_id);
    if (!card) return card.error();
    if (!*card) return refusal(Errc::unknown_card);
    if (const auto genuine = verify(receipt, (*card)->public_key); !genuine) return genuine.error();
    if (receipt.result.sequence <= (*card)->settled) return answer_again(**card, submission);
    return settle_new(**card, submission);
}

Result<Settlement> Settler::answer_again(CardRow& card, const Submission& submission)
{
    const auto& result = submission.receipt.result;
    const auto index = store_->record_index(result.card_id, result.sequence);
    if (!index) return index.error();
    if (*index) {
        const auto record = store_->record(**index);
        if (!record) return record.error();
        if (!*record) return Error{.code = Errc::file_damaged, .where = "ledger"};
        if ((*record)->receipt.result == result) {
            const auto rows = store_->operations(result.card_id, result.sequence);
            if (!rows) return rows.error();
            const bool restored = std::ranges::any_of(
                *rows, [](const OperationRow& row) { return row.as == SignedAs::restored; });
            return Settlement{.settled = true,
                              .restored = restored,
                              .sequence = result.sequence,
                              .balance = result.balance,
                              .ledger_index = **index};
        }
    }
    return accuse(card, EvidenceReason::second_result, submission.receipt, submission.executed);
}

Result<Settlement> Settler::settle_new(CardRow& card, const Submission& submission)
{
    const auto& receipt = submission.receipt;
    const auto& result = receipt.result;
    const auto executed = find_executed(card, submission);
    if (!executed) return executed.error();
    if (!*executed) return refusal(Errc::unknown_operation);
    const auto& operation = (*executed)->logged.operation;
    if ((*executed)->known == Known::foreign)
        return accuse(card, EvidenceReason::foreign_operation, receipt, (*executed)->logged);
    if (result.sequence > std::uint64_t{card.settled} + 1) return keep(card, receipt, **executed);
    if (const auto reason = contradiction(card, operation, result)) {
        // The store that forgot what it signed may be wrong about what came before, too.
        if ((*executed)->known == Known::restored) return refusal(Errc::unsettled);
        return accuse(card, *reason, receipt, (*executed)->logged);
    }
    if (const auto fits = fits_books(**executed); !fits) return fits.error();
    const auto settlement = apply(card, receipt, **executed);
    if (!settlement) return settlement;
    if (const auto done = settle_kept(card); !done) return done.error();
    return settlement;
}

Result<std::optional<Settler::Executed>> Settler::find_executed(const CardRow& card,
                                                                const Submission& submission)
{
    const auto& result = submission.receipt.result;
    const auto signed_ones = store_->operations(result.card_id, result.sequence);
    if (!signed_ones) return signed_ones.error();
    for (const auto& row : *signed_ones) {
        const auto& [operation, signature] = row.first;
        if (operation.digest() == result.operation)
            return std::optional(Executed{{operation, signature}, Known::signed_here});
    }
    const auto& logged = submission.executed;
    if (!logged || !logged->operation.valid() || logged->operation.digest() != result.operation)
        return std::optional<Executed>();
    return std::optional(Executed{*logged, judge(card, *logged, result)});
}

// Checks that the accounts can take it. An operation that was signed here has reserved its amount;
// one that the store forgot has not.
Result<void> Settler::fits_books(const Executed& executed)
{
    const auto& operation = executed.logged.operation;
    Books books(*store_);
    if (executed.known == Known::restored && operation.kind == Kind::transfer_in)
        if (const auto there = books.check_free(operation); !there) return there;
    return books.check(operation);
}

// Of an operation that came along with its result.
Settler::Known Settler::judge(const CardRow& card, const ExecutedOperation& logged,
                              const CardResult& result) const
{
    const auto& [operation, signature] = logged;
    if (operation.card_id != result.card_id || operation.sequence != result.sequence ||
        operation.unit != unit_)
        return Known::foreign;
    if (operation.kind == Kind::payment) return Known::payment;
    if (!signature) return Known::foreign;
    const FirstInstruction first{operation, *signature};
    // Which key a card has by then is known once the results in front have settled.
    if (result.sequence == std::uint64_t{card.settled} + 1)
        return verify(first, card.operation_key) ? Known::restored : Known::foreign;
    const bool is_ours = std::ranges::any_of(
        operation_keys_, [&](const PublicKey& key) { return verify(first, key).has_value(); });
    return is_ours ? Known::restored : Known::foreign;
}

// A second result for a sequence is evidence at once. It is kept all the same, because it may be
// the one of the two that fits when the results before it have come.
Result<Settlement> Settler::keep(CardRow& card, const Receipt& receipt, const Executed& executed)
{
    if (receipt.result.sequence - card.settled > furthest_ahead) return refusal(Errc::unsettled);
    const auto before = store_->kept(card.card_id, receipt.result.sequence);
    if (!before) return before.error();
    if (const auto kept = store_->keep({receipt, executed.logged}); !kept) return kept.error();
    const bool first = before->empty() ||
                       (before->size() == 1 && before->front().receipt.result == receipt.result);
    if (!first) return accuse(card, EvidenceReason::second_result, receipt, executed.logged);
    return Settlement{.settled = false,
                      .restored = executed.known == Known::restored,
                      .sequence = receipt.result.sequence,
                      .balance = receipt.result.balance,
                      .ledger_index = 0};
}

Result<Settlement> Settler::apply(CardRow& card, const Receipt& receipt, const Executed& executed)
{
    const auto& result = receipt.result;
    Books books(*store_);
    const auto ended = store_->operations(card.card_id, result.sequence);
    if (!ended) return ended.error();
    for (const auto& row : *ended) {
        const auto released = books.release(row.first.operation);
        if (!released) return released.error();
    }
    const auto& [operation, signature] = executed.logged;
    const auto posting = books.post(operation);
    if (!posting) return posting.error();
    const bool restored = executed.known == Known::restored;
    if (restored) {
        OperationRow row;
        row.request = operation.digest();
        row.first = {operation, *signature};
        row.as = SignedAs::restored;
        if (const auto put = store_->insert_operation(row); !put) return put.error();
    }

    const Record record{operation, signature, receipt};
    const auto index = store_->record_count();
    if (!index) return index.error();
    if (const auto done = store_->append_record(*index, record, *posting); !done)
        return done.error();
    const auto leaf = merkle::leaf_hash(record.encode());
    if (const auto done = LedgerTree(*store_).append(*index, leaf); !done) return done.error();

    card.settled = result.sequence;
    card.balance = result.balance;
    card.state = result.state;
    card.last_result = result.digest();
    if (const auto* key = std::get_if<PublicKey>(&operation.parameter)) card.operation_key = *key;
    if (const auto* limits = std::get_if<Limits>(&operation.parameter)) card.limits = *limits;
    if (const auto done = store_->update_card(card); !done) return done.error();
    return Settlement{.settled = true,
                      .restored = restored,
                      .sequence = result.sequence,
                      .balance = result.balance,
                      .ledger_index = *index};
}

Result<void> Settler::settle_kept(CardRow& card)
{
    for (;;) {
        const auto more = settle_next_kept(card);
        if (!more) return more.error();
        if (*more == Progressed::no) return {};
    }
}

Result<Settler::Progressed> Settler::settle_next_kept(CardRow& card)
{
    if (card.settled == 0xFFFFFFFF) return Progressed::no;
    const auto candidates = store_->kept(card.card_id, card.settled + 1);
    if (!candidates) return candidates.error();
    if (candidates->empty()) return Progressed::no;

    auto progressed = Progressed::no;
    for (const auto& [receipt, kept] : *candidates) {
        const auto executed = find_executed(card, {receipt, kept});
        if (!executed) return executed.error();
        if (!*executed) return Error{.code = Errc::file_damaged, .where = "kept results"};
        const auto& operation = (*executed)->logged.operation;
        std::optional<EvidenceReason> reason;
        if (progressed == Progressed::yes) {
            reason = EvidenceReason::second_result;
        } else if ((*executed)->known == Known::foreign) {
            reason = EvidenceReason::foreign_operation;
        } else {
            reason = contradiction(card, operation, receipt.result);
            if (reason && (*executed)->known == Known::restored) continue;
        }
        if (!reason) {
            const auto fits = fits_books(**executed);
            if (!fits) {
                return is_store_error(fits.error()) ? Result<Progressed>(fits.error())
                                                    : Progressed::no;
            }
            const auto settled = apply(card, receipt, **executed);
            if (!settled) return settled.error();
            progressed = Progressed::yes;
            continue;
        }
        const auto accused = accuse(card, *reason, receipt, kept);
        if (is_store_error(accused)) return accused;
    }
    const auto sequence = candidates->front().receipt.result.sequence;
    if (const auto dropped = store_->drop_kept(card.card_id, sequence); !dropped)
        return dropped.error();
    return progressed;
}

Error Settler::accuse(CardRow& card, EvidenceReason reason, const Receipt& receipt,
                      const std::optional<ExecutedOperation>& executed)
{
    // Only the operation that the card signed for belongs to the evidence.
    EvidenceRow evidence{.reason = reason, .receipt = receipt, .operation = {}};
    if (executed && executed->operation.valid() &&
        executed->operation.digest() == receipt.result.operation)
        evidence.operation = executed->operation;
    if (const auto put = store_->put_evidence(evidence); !put) return put.error();
    card.denied = true;
    if (const auto done = store_->update_card(card); !done) return done.error();
    return refusal(Errc::evidence);
}

}  // namespace tallycard
