// SPDX-License-Identifier: Apache-2.0
// Results that never came, and those that come late (docs/accounts.md, section 6).
#include <algorithm>

#include <tallycard/verify.hpp>

#include "settlement.hpp"

namespace tallycard {
namespace {

Error refusal(Errc code)
{
    return Error{.code = code, .where = "settle"};
}

AccountName what_gaps_left()
{
    return associated_account(unaccounted());
}

// The balance that a card had before an operation brought it to `after`.
std::optional<Balance> balance_before(Balance after, Amount amount)
{
    return checked_add(after, -amount);
}

// A kind 10 behind that sequence has settled: its limits are the card's.
enum class Newer : std::uint8_t { no, yes };
Result<Newer> has_newer_limits(StoreTransaction& store, const CardRow& card, std::uint32_t sequence)
{
    while (sequence < card.settled) {
        const auto index = store.record_index(card.card_id, ++sequence);
        if (!index) return index.error();
        if (!*index) continue;
        const auto entry = store.entry(**index);
        if (!entry) return entry.error();
        const auto* record = *entry ? (*entry)->record() : nullptr;
        if (record == nullptr) return Error{.code = Errc::file_damaged, .where = "ledger"};
        if (record->operation.kind == Kind::set_limits) return Newer::yes;
    }
    return Newer::no;
}

}  // namespace

Result<std::size_t> Settler::close_gaps(CardRow& card)
{
    for (std::size_t made = 0;; ++made) {
        const auto one = close_one_gap(card);
        if (!one) return one.error();
        if (*one == Progressed::no) return made;
    }
}

// The hole in front of the first payment that is kept.
Result<Settler::Progressed> Settler::close_one_gap(CardRow& card)
{
    const auto kept = store_->kept(card.card_id);
    if (!kept) return kept.error();
    const auto waits = [&](const KeptRow& row) {
        return row.receipt.result.sequence > card.settled &&
               row.executed.operation.kind == Kind::payment;
    };
    const auto first = std::ranges::find_if(*kept, waits);
    if (first == kept->end()) return Progressed::no;
    auto since = first->since;  // of the one that came first
    for (const auto& row : *kept)
        if (waits(row)) since = std::min(since, row.since);
    const auto sequence = first->receipt.result.sequence;
    const auto rivals = std::ranges::count_if(
        *kept, [&](const KeptRow& row) { return row.receipt.result.sequence == sequence; });
    const bool overdue = now_ - since >= settings_->gap_after;
    // Of two results for one sequence the one that fits may still show, when the others come.
    if (!overdue && (!card.denied || rivals > 1)) return Progressed::no;
    return make_gap(card, *first);
}

// No gap where it cannot be made now: the payments wait on.
Result<Settler::Progressed> Settler::make_gap(CardRow& card, const KeptRow& payment)
{
    const auto no_gap = [](const Error& error) {
        return is_store_error(error) ? Result<Progressed>(error) : Progressed::no;
    };
    const auto& result = payment.receipt.result;
    const auto missing = result.sequence - 1 - card.settled;
    const auto before = balance_before(result.balance, payment.executed.operation.amount);
    // Above the settled balance, a credit is missing: the payments wait for its result.
    if (missing == 0 || missing > Gap::most_missing || card.state == CardState::terminated ||
        result.state != CardState::operational || !before || *before > card.balance ||
        settings_->signers.empty())
        return Progressed::no;

    const auto moved = card.balance.to_minor_units() - before->to_minor_units();
    std::optional<Posting> posting;
    if (moved > 0) {
        posting = Posting{.debit = card_account(card.card_id),
                          .credit = what_gaps_left(),
                          .amount = Amount::minor_units(static_cast<std::int64_t>(moved))};
        if (const auto fits = books_.check(*posting); !fits) return no_gap(fits.error());
    }
    const auto pays = posting_of(payment.executed.operation);
    if (const auto fits = books_.check(*pays); !fits) return no_gap(fits.error());

    Gap gap{.card_id = card.card_id,
            .last = result.sequence - 1,
            .balance = *before,
            .last_result = result.previous_result,
            .issuer_signature = {}};
    const auto signature = settings_->signers.front()->sign(gap);
    if (!signature) return no_gap(signature.error());
    gap.issuer_signature = *signature;
    if (posting) {
        const auto posted = books_.post(*posting);
        if (!posted) return posted.error();
        posting = *posted;
        const auto balance = static_cast<std::int64_t>(before->to_minor_units());
        set_card_after(*posting, balance - card.recovered);
    }
    const auto written = writer_.append(gap, posting);
    if (!written) return written.error();
    GapRow row{.card_id = card.card_id,
               .first = card.settled + 1,
               .last = gap.last,
               .index = written->index,
               .state_before = card.state,
               .balance_before = card.balance,
               .balance_after = *before,
               .result_before = card.last_result,
               .result_after = gap.last_result,
               .operation_key = card.operation_key,
               .left = static_cast<std::int64_t>(moved)};
    if (const auto put = store_->insert_gap(row); !put) return put.error();
    const auto signed_ones = store_->operations(card.card_id, row.first);
    if (!signed_ones) return signed_ones.error();
    // An operation that was signed for it may have been executed, and begun the count anew.
    const auto moved_offline =
        checked_add(card.offline_spent, Amount::minor_units(static_cast<std::int64_t>(moved)));
    card.offline_spent =
        signed_ones->empty() ? moved_offline.value_or(card.offline_spent) : Balance();
    card.settled = gap.last;
    card.balance = *before;
    card.last_result = gap.last_result;
    card.state = CardState::operational;
    if (const auto done = store_->update_card(card); !done) return done.error();
    if (const auto done = settle_kept(card); !done) return done.error();
    if (const auto done = settle_waiting(card, row); !done) return done.error();
    return Progressed::yes;
}

// Results of the gap that are kept: they came before it was made, or it had not enough.
Result<void> Settler::settle_waiting(CardRow& card, GapRow& gap)
{
    for (bool progressed = true; progressed;) {
        progressed = false;
        const auto kept = store_->kept(card.card_id);
        if (!kept) return kept.error();
        for (const auto& row : *kept) {
            const auto sequence = row.receipt.result.sequence;
            if (!gap.has(sequence)) continue;
            const auto index = store_->record_index(card.card_id, sequence);
            if (!index) return index.error();
            const auto late =
                *index ? Result<Settlement>(refusal(Errc::evidence))
                       : settle_late(card, gap,
                                     {row.receipt, row.executed, row.terminal, row.reference});
            if (!late && is_store_error(late.error())) return late.error();
            if (late && late->settled) progressed = true;
        }
    }
    return {};
}

Result<std::optional<Settler::Neighbour>> Settler::in_front(const GapRow& gap,
                                                            std::uint32_t sequence)
{
    if (sequence == gap.first)
        return std::optional(Neighbour{gap.balance_before, gap.result_before});
    const auto index = store_->record_index(gap.card_id, sequence - 1);
    if (!index) return index.error();
    if (!*index) return std::optional<Neighbour>();
    const auto entry = store_->entry(**index);
    if (!entry) return entry.error();
    const auto* record = *entry ? (*entry)->record() : nullptr;
    if (record == nullptr) return Error{.code = Errc::file_damaged, .where = "ledger"};
    const auto& result = record->receipt.result;
    return std::optional(Neighbour{result.balance, result.digest()});
}

Result<std::optional<Settler::Neighbour>> Settler::behind(const GapRow& gap, std::uint32_t sequence)
{
    if (sequence == gap.last) return std::optional(Neighbour{gap.balance_after, gap.result_after});
    const auto index = store_->record_index(gap.card_id, sequence + 1);
    if (!index) return index.error();
    if (!*index) return std::optional<Neighbour>();
    const auto entry = store_->entry(**index);
    if (!entry) return entry.error();
    const auto* record = *entry ? (*entry)->record() : nullptr;
    const auto balance = record == nullptr ? std::nullopt
                                           : balance_before(record->receipt.result.balance,
                                                            record->operation.amount);
    if (!balance) return Error{.code = Errc::file_damaged, .where = "ledger"};
    return std::optional(Neighbour{*balance, record->receipt.result.previous_result});
}

// Why a late result does not fit between its neighbours, or into the card's state.
Result<std::optional<EvidenceReason>> Settler::contradiction(const GapRow& gap,
                                                             const Operation& operation,
                                                             const CardResult& result)
{
    using Reason = std::optional<EvidenceReason>;
    const auto front = in_front(gap, result.sequence);
    if (!front) return front.error();
    const auto back = behind(gap, result.sequence);
    if (!back) return back.error();
    if ((*front && (*front)->result != result.previous_result) ||
        (*back && (*back)->result != result.digest()))
        return Reason(EvidenceReason::broken_chain);
    if ((*front && checked_add((*front)->balance, operation.amount) != result.balance) ||
        (*back && (*back)->balance != result.balance) ||
        !balance_before(result.balance, operation.amount))
        return Reason(EvidenceReason::wrong_balance);
    const auto state = result.sequence == gap.first ? gap.state_before : CardState::operational;
    if (!admits(state, operation.kind) || next(state, operation.kind) != result.state ||
        result.state != CardState::operational)
        return Reason(EvidenceReason::wrong_state);
    return Reason();
}

Result<Settlement> Settler::settle_late(CardRow& card, GapRow& gap, const Submission& submission)
{
    const auto& receipt = submission.receipt;
    const auto& result = receipt.result;
    const auto executed = find_executed(card, submission, gap.operation_key);
    if (!executed) return executed.error();
    if (!*executed) return refusal(Errc::unknown_operation);
    const auto& [logged, known] = **executed;
    const auto& operation = logged.operation;
    if (known == Known::foreign)
        return accuse(card, EvidenceReason::foreign_operation, receipt, logged);
    // The platform signs for the sequence behind the last settled one alone.
    if (result.sequence != gap.first && operation.kind != Kind::payment)
        return refusal(Errc::card_state);
    const auto reason = contradiction(gap, operation, result);
    if (!reason) return reason.error();
    if (*reason) {
        if (known == Known::restored) return refusal(Errc::unsettled);
        return accuse(card, **reason, receipt, logged);
    }
    if (const auto may = check_admitted(card, **executed); !may) return may.error();

    const Settling settling{receipt, **executed, submission.terminal, submission.reference};
    auto posting = posting_for(card, operation);
    if (posting) (is_credit(operation.kind) ? posting->credit : posting->debit) = what_gaps_left();
    std::int64_t left = gap.left;
    const bool fits = !__builtin_add_overflow(left, operation.amount.to_minor_units(), &left);
    if (!fits) return refusal(Errc::bad_amount);
    if (left < 0) return keep(card, settling);
    if (const auto there = check_books(**executed, posting); !there) return there.error();
    const auto settlement = write(card, settling, posting);
    if (!settlement) return settlement;
    gap.left = left;
    if (const auto put = store_->update_gap(gap); !put) return put.error();
    if (const auto* key = std::get_if<PublicKey>(&operation.parameter)) card.operation_key = *key;
    if (const auto* limits = std::get_if<Limits>(&operation.parameter)) {
        const auto newer = has_newer_limits(*store_, card, result.sequence);
        if (!newer) return newer.error();
        if (*newer == Newer::no) card.limits = *limits;
    }
    if (const auto done = store_->update_card(card); !done) return done.error();
    if (const auto dropped = store_->drop_kept(card.card_id, result.sequence); !dropped)
        return dropped.error();
    if (is_credit(operation.kind))
        if (const auto done = settle_waiting(card, gap); !done) return done.error();
    return settlement;
}

}  // namespace tallycard
