// SPDX-License-Identifier: Apache-2.0
#include "settlement.hpp"

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
            return Settlement{.settled = true,
                              .sequence = result.sequence,
                              .balance = result.balance,
                              .ledger_index = **index};
        }
    }
    return accuse(card, EvidenceReason::second_result, submission.receipt, submission.operation);
}

Result<Settlement> Settler::settle_new(CardRow& card, const Submission& submission)
{
    const auto& receipt = submission.receipt;
    const auto& result = receipt.result;
    const auto executed = find_executed(submission);
    if (!executed) return executed.error();
    if (!*executed) return refusal(Errc::unknown_operation);
    const auto& operation = (*executed)->operation;
    if (!belongs(**executed, result))
        return accuse(card, EvidenceReason::foreign_operation, receipt, operation);
    if (result.sequence > std::uint64_t{card.settled} + 1) return keep(card, receipt, **executed);
    if (const auto reason = contradiction(card, operation, result))
        return accuse(card, *reason, receipt, operation);
    if (const auto fits = Books(*store_).check(operation, (*executed)->terminal); !fits)
        return fits.error();
    const auto settlement = apply(card, receipt, **executed);
    if (!settlement) return settlement;
    if (const auto done = settle_kept(card); !done) return done.error();
    return settlement;
}

Result<std::optional<Settler::Executed>> Settler::find_executed(const Submission& submission)
{
    const auto& result = submission.receipt.result;
    const auto signed_ones = store_->operations(result.card_id, result.sequence);
    if (!signed_ones) return signed_ones.error();
    for (const auto& row : *signed_ones) {
        const auto& [operation, signature] = row.first;
        if (operation.digest() == result.operation)
            return std::optional(Executed{operation, signature, row.terminal});
    }
    const auto& operation = submission.operation;
    if (operation && operation->valid() && operation->digest() == result.operation)
        return std::optional(Executed{*operation, std::nullopt, std::nullopt});
    return std::optional<Executed>();
}

// What was signed here is for this card and sequence; what came along has to be a payment of them.
bool Settler::belongs(const Executed& executed, const CardResult& result) const
{
    const auto& operation = executed.operation;
    if (executed.issuer_signature) return true;
    return operation.kind == Kind::payment && operation.card_id == result.card_id &&
           operation.sequence == result.sequence && operation.unit == unit_;
}

// A second result for a sequence is evidence at once. It is kept all the same, because it may be
// the one of the two that fits when the results before it have come.
Result<Settlement> Settler::keep(CardRow& card, const Receipt& receipt, const Executed& executed)
{
    if (receipt.result.sequence - card.settled > furthest_ahead) return refusal(Errc::unsettled);
    const auto before = store_->kept(card.card_id, receipt.result.sequence);
    if (!before) return before.error();
    if (const auto kept = store_->keep({receipt, executed.operation}); !kept) return kept.error();
    const bool first = before->empty() ||
                       (before->size() == 1 && before->front().receipt.result == receipt.result);
    if (!first) return accuse(card, EvidenceReason::second_result, receipt, executed.operation);
    return Settlement{.settled = false,
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
    for (const auto& row : *ended)
        if (const auto released = books.release(row); !released) return released.error();
    const auto posting = books.post(executed.operation, executed.terminal);
    if (!posting) return posting.error();

    const Record record{executed.operation, executed.issuer_signature, receipt};
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
    if (executed.operation.kind == Kind::replace_operation_key)
        card.operation_key = *std::get_if<PublicKey>(&executed.operation.parameter);
    if (const auto done = store_->update_card(card); !done) return done.error();
    return Settlement{.settled = true,
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
    for (const auto& [receipt, operation] : *candidates) {
        const auto executed = find_executed({receipt, operation});
        if (!executed) return executed.error();
        if (!*executed) return Error{.code = Errc::file_damaged, .where = "kept results"};
        auto reason = progressed == Progressed::yes
                          ? EvidenceReason::second_result
                          : contradiction(card, operation, receipt.result);
        if (!reason) {
            const auto fits = Books(*store_).check(operation, (*executed)->terminal);
            if (!fits) {
                return is_store_error(fits.error()) ? Result<Progressed>(fits.error())
                                                    : Progressed::no;
            }
            const auto settled = apply(card, receipt, **executed);
            if (!settled) return settled.error();
            progressed = Progressed::yes;
            continue;
        }
        const auto accused = accuse(card, *reason, receipt, operation);
        if (is_store_error(accused)) return accused;
    }
    const auto sequence = candidates->front().receipt.result.sequence;
    if (const auto dropped = store_->drop_kept(card.card_id, sequence); !dropped)
        return dropped.error();
    return progressed;
}

Error Settler::accuse(CardRow& card, EvidenceReason reason, const Receipt& receipt,
                      const std::optional<Operation>& operation)
{
    // Only the operation that the card signed for belongs to the evidence.
    EvidenceRow evidence{.reason = reason, .receipt = receipt, .operation = {}};
    if (operation && operation->valid() && operation->digest() == receipt.result.operation)
        evidence.operation = operation;
    if (const auto put = store_->put_evidence(evidence); !put) return put.error();
    card.denied = true;
    if (const auto done = store_->update_card(card); !done) return done.error();
    return refusal(Errc::evidence);
}

}  // namespace tallycard
