// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include <tallycard/verify.hpp>

#include "settlement.hpp"

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
std::optional<EvidenceReason> contradiction_to(const CardRow& card, const Operation& operation,
                                               const CardResult& result)
{
    if (result.previous_result != card.last_result) return EvidenceReason::broken_chain;
    if (checked_add(card.balance, operation.amount) != result.balance)
        return EvidenceReason::wrong_balance;
    if (!admits(card.state, operation.kind) || result.state != next(card.state, operation.kind))
        return EvidenceReason::wrong_state;
    return std::nullopt;
}

// The payments of a card since its last operation of the issuer.
Balance spent_after(const CardRow& card, const Operation& operation)
{
    if (operation.kind != Kind::payment) return {};
    return checked_add(card.offline_spent, -operation.amount)
        .value_or(Balance::minor_units(Balance::largest));
}

AccountName losses()
{
    return outside_account(*AccountId::parse("losses"));
}

}  // namespace

bool is_store_error(const Error& error)
{
    return error.code == Errc::store_failed || error.code == Errc::file_damaged ||
           error.code == Errc::file_in_use || error.code == Errc::store_busy ||
           error.code == Errc::store_unreachable || error.code == Errc::clock_wrong ||
           error.code == Errc::conflict;  // a constraint of the store: never an answer of ours
}

Result<void> set_denied(StoreTransaction& store, CardRow& card, bool denied)
{
    if (card.denied == denied) return {};
    card.denied = denied;
    if (const auto put = store.append_denial({card.card_id, denied}); !put) return put;
    return store.update_card(card);
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
    const auto answer = settle_any(**card, submission);
    if (!(*card)->denied || (!answer && is_store_error(answer.error()))) return answer;

    const auto closed = close_gaps(**card);
    if (!closed) return closed.error();
    if (!answer || answer->settled || *closed == 0) return answer;
    const auto settled = known_settlement(receipt.result);
    if (!settled) return settled.error();
    return settled->value_or(*answer);
}

Result<Settlement> Settler::settle_any(CardRow& card, const Submission& submission)
{
    return submission.receipt.result.sequence <= card.settled ? settle_past(card, submission)
                                                              : settle_next(card, submission);
}

// The answer that this very result got when it settled; empty where it is none that has.
Result<std::optional<Settlement>> Settler::known_settlement(const CardResult& result)
{
    const auto index = store_->record_index(result.card_id, result.sequence);
    if (!index) return index.error();
    if (!*index) return std::optional<Settlement>();
    const auto entry = store_->entry(**index);
    if (!entry) return entry.error();
    const auto* record = *entry ? (*entry)->record() : nullptr;
    if (record == nullptr) return Error{.code = Errc::file_damaged, .where = "ledger"};
    if (record->receipt.result != result) return std::optional<Settlement>();
    const auto rows = store_->operations(result.card_id, result.sequence);
    if (!rows) return rows.error();
    const bool restored = std::ranges::any_of(
        *rows, [](const OperationRow& row) { return row.as == SignedAs::restored; });
    return std::optional(Settlement{.settled = true,
                                    .restored = restored,
                                    .sequence = result.sequence,
                                    .balance = result.balance,
                                    .ledger_index = **index});
}

Result<Settlement> Settler::settle_past(CardRow& card, const Submission& submission)
{
    const auto& result = submission.receipt.result;
    const auto known = known_settlement(result);
    if (!known) return known.error();
    if (*known) return **known;
    const auto index = store_->record_index(result.card_id, result.sequence);
    if (!index) return index.error();
    if (!*index) {
        auto gaps = store_->gaps(card.card_id);
        if (!gaps) return gaps.error();
        const auto gap = std::ranges::find_if(
            *gaps, [&](const GapRow& row) { return row.has(result.sequence); });
        if (gap != gaps->end()) return settle_late(card, *gap, submission);
    }
    return accuse(card, EvidenceReason::second_result, submission.receipt, submission.executed);
}

Result<Settlement> Settler::settle_next(CardRow& card, const Submission& submission)
{
    const auto& receipt = submission.receipt;
    const auto& result = receipt.result;
    const bool is_next = result.sequence == std::uint64_t{card.settled} + 1;
    // Which key a card has by then is known once the results in front have settled.
    const auto executed =
        find_executed(card, submission, is_next ? std::optional(card.operation_key) : std::nullopt);
    if (!executed) return executed.error();
    if (!*executed) return refusal(Errc::unknown_operation);
    const auto& operation = (*executed)->logged.operation;
    const Settling settling{receipt, **executed, submission.terminal, submission.reference};
    if ((*executed)->known == Known::foreign)
        return accuse(card, EvidenceReason::foreign_operation, receipt, (*executed)->logged);
    if (!is_next) return keep(card, settling);
    if (const auto reason = contradiction_to(card, operation, result)) {
        // The store that forgot what it signed may be wrong about what came before, too.
        if ((*executed)->known == Known::restored) return refusal(Errc::unsettled);
        return accuse(card, *reason, receipt, (*executed)->logged);
    }
    if (const auto may = check_admitted(card, **executed); !may) return may.error();
    const auto fits = check_books(**executed, posting_for(card, operation));
    if (!fits) return fits.error();
    const auto settlement = apply(card, settling);
    if (!settlement) return settlement;
    if (const auto done = settle_kept(card); !done) return done.error();
    return settlement;
}

// `key` is that of the issuer which the card had; absent where it is one of all that there were.
Result<std::optional<Settler::Executed>> Settler::find_executed(const CardRow& card,
                                                                const Submission& submission,
                                                                const std::optional<PublicKey>& key)
{
    const auto& result = submission.receipt.result;
    const auto signed_ones = store_->operations(card.card_id, result.sequence);
    if (!signed_ones) return signed_ones.error();
    for (const auto& row : *signed_ones) {
        const auto& [operation, signature] = row.first;
        if (operation.digest() == result.operation)
            return std::optional(Executed{{operation, signature, row.consent}, Known::signed_here});
    }
    const auto& logged = submission.executed;
    if (!logged || !logged->operation.valid() || logged->operation.digest() != result.operation)
        return std::optional<Executed>();
    return std::optional(Executed{*logged, judge(*logged, result, key)});
}

// Of an operation that came along with its result.
Settler::Known Settler::judge(const ExecutedOperation& logged, const CardResult& result,
                              const std::optional<PublicKey>& key) const
{
    const auto& operation = logged.operation;
    if (operation.card_id != result.card_id || operation.sequence != result.sequence ||
        operation.unit != settings_->issuer.currency.unit)
        return Known::foreign;
    if (operation.kind == Kind::payment) return Known::payment;
    if (!logged.issuer_signature) return Known::foreign;
    const FirstInstruction first{operation, *logged.issuer_signature};
    if (key) return verify(first, *key) ? Known::restored : Known::foreign;
    const bool is_ours =
        std::ranges::any_of(settings_->issuer.operation_keys,
                            [&](const PublicKey& one) { return verify(first, one).has_value(); });
    return is_ours ? Known::restored : Known::foreign;
}

Result<void> Settler::check_admitted(const CardRow& card, const Executed& executed)
{
    const auto& operation = executed.logged.operation;
    if (card.given_up_at && operation.sequence > std::uint64_t{*card.given_up_at} + 1 &&
        operation.kind != Kind::payment && operation.kind != Kind::cancel &&
        operation.kind != Kind::terminate)
        return refusal(Errc::card_state);
    // The consent to what was signed here has been checked, and its key is in force still.
    if (executed.known == Known::signed_here || !needs_consent(operation)) return {};
    return check_consent(operation, executed.logged.consent);
}

Result<void> Settler::check_consent(const Operation& operation,
                                    const std::optional<Signature>& consent)
{
    if (!consent) return refusal(Errc::consent_needed);
    const auto account = books_.find_or_new(*other_side(operation));
    if (!account) return account.error();
    if (!account->key) return refusal(Errc::not_the_owner);
    const auto& root = settings_->issuer.card_root;
    const auto under_key = verify_consent(operation, *consent, root, *account->key);
    if (under_key || !account->key_before) return under_key;
    return verify_consent(operation, *consent, root, *account->key_before);
}

// Checks that the accounts can take it. An operation that was signed here has reserved its amount;
// one that the store forgot has not.
Result<void> Settler::check_books(const Executed& executed, const std::optional<Posting>& posting)
{
    if (!posting) return {};
    const auto& operation = executed.logged.operation;
    const bool promised = executed.known == Known::signed_here && is_credit(operation.kind);
    return books_.check(*posting, promised ? operation.amount : Amount{});
}

// A transfer that was written off is the issuer's loss, not the account's.
std::optional<Posting> Settler::posting_for(const CardRow& card, const Operation& operation) const
{
    auto posting = posting_of(operation);
    if (posting && operation.kind == Kind::transfer_in && card.written_off == operation.sequence)
        posting->debit = losses();
    return posting;
}

// A second result for a sequence is evidence at once. It is kept all the same, because it may be
// the one of the two that fits when the results before it have come.
Result<Settlement> Settler::keep(CardRow& card, const Settling& settling)
{
    const auto& [receipt, executed, terminal, reference] = settling;
    const auto& result = receipt.result;
    if (result.sequence > card.settled && result.sequence - card.settled > furthest_ahead)
        return refusal(Errc::unsettled);
    const auto before = store_->kept(card.card_id, result.sequence);
    if (!before) return before.error();
    const bool there = std::ranges::any_of(
        *before, [&](const KeptRow& row) { return row.receipt.result == result; });
    // Two of a sequence prove what there is to prove; more of them would only take room.
    if (!there && before->size() < 2) {
        const auto kept = store_->keep({receipt, executed.logged, terminal, now_, reference});
        if (!kept) return kept.error();
    }
    const bool alone = before->empty() || (before->size() == 1 && there);
    if (!alone) return accuse(card, EvidenceReason::second_result, receipt, executed.logged);
    return Settlement{.settled = false,
                      .restored = executed.known == Known::restored,
                      .sequence = result.sequence,
                      .balance = result.balance,
                      .ledger_index = 0};
}

Result<Settlement> Settler::apply(CardRow& card, const Settling& settling)
{
    const auto& result = settling.receipt.result;
    const auto& operation = settling.executed.logged.operation;
    const auto settlement = write(card, settling, posting_for(card, operation));
    if (!settlement) return settlement;

    card.settled = result.sequence;
    card.balance = result.balance;
    card.state = result.state;
    card.last_result = result.digest();
    card.offline_spent = spent_after(card, operation);
    if (const auto* key = std::get_if<PublicKey>(&operation.parameter)) card.operation_key = *key;
    if (const auto* limits = std::get_if<Limits>(&operation.parameter)) card.limits = *limits;
    if (const auto done = store_->update_card(card); !done) return done.error();
    return settlement;
}

Result<Settlement> Settler::write(const CardRow& card, const Settling& settling,
                                  const std::optional<Posting>& posting)
{
    const auto& [receipt, executed, terminal, reference] = settling;
    const auto& [operation, signature, consent] = executed.logged;
    const auto sequence = receipt.result.sequence;
    const auto ended = store_->operations(card.card_id, sequence);
    if (!ended) return ended.error();
    for (const auto& row : *ended) {
        const auto& pending = row.first.operation;
        const bool gone = pending.kind == Kind::transfer_in && card.written_off == sequence;
        if (gone) continue;
        if (const auto released = books_.release(pending); !released) return released.error();
    }
    std::optional<Posting> moved;
    if (posting) {
        const auto posted = books_.post(*posting);
        if (!posted) return posted.error();
        moved = *posted;
        const auto balance = static_cast<std::int64_t>(receipt.result.balance.to_minor_units());
        set_card_after(*moved, balance - card.recovered);
    }
    const bool restored = executed.known == Known::restored;
    if (restored) {
        OperationRow row;
        row.request = operation.digest();
        row.first = {operation, *signature};
        row.as = SignedAs::restored;
        if (const auto put = store_->insert_operation(row); !put) return put.error();
    }
    const Record record{operation, signature, receipt,
                        needs_consent(operation) ? consent : std::nullopt};
    const auto written = writer_.append(DeliveredRecord{record, terminal}, moved);
    if (!written) return written.error();
    if (reference && operation.kind == Kind::payment) {
        const auto put = store_->put_reference(written->index, *reference);
        if (!put) return put.error();
    }
    return Settlement{.settled = true,
                      .restored = restored,
                      .sequence = sequence,
                      .balance = receipt.result.balance,
                      .ledger_index = written->index};
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

    const auto key = card.operation_key;
    auto progressed = Progressed::no;
    for (const auto& row : *candidates) {
        const auto& receipt = row.receipt;
        const auto executed = find_executed(card, {receipt, row.executed, row.terminal}, key);
        if (!executed) return executed.error();
        if (!*executed) return Error{.code = Errc::file_damaged, .where = "kept results"};
        const auto& operation = (*executed)->logged.operation;
        std::optional<EvidenceReason> reason;
        if (progressed == Progressed::yes) {
            reason = EvidenceReason::second_result;
        } else if ((*executed)->known == Known::foreign) {
            reason = EvidenceReason::foreign_operation;
        } else {
            reason = contradiction_to(card, operation, receipt.result);
            if (reason && (*executed)->known == Known::restored) continue;
        }
        if (!reason) {
            auto fits = check_admitted(card, **executed);
            if (fits) fits = check_books(**executed, posting_for(card, operation));
            if (!fits) {
                return is_store_error(fits.error()) ? Result<Progressed>(fits.error())
                                                    : Progressed::no;
            }
            const auto settled = apply(card, {receipt, **executed, row.terminal, row.reference});
            if (!settled) return settled.error();
            progressed = Progressed::yes;
            continue;
        }
        const auto accused = accuse(card, *reason, receipt, row.executed);
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
    if (const auto done = set_denied(*store_, card, true); !done) return done.error();
    return refusal(Errc::evidence);
}

}  // namespace tallycard
