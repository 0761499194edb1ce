// SPDX-License-Identifier: Apache-2.0
#include "ledger_gap.hpp"

namespace tallycard {

Objection AuditedGap::check(const SettledCard& before, const Gap& gap)
{
    if (before.state == CardState::terminated) return "a terminated card has no gap";
    if (gap.last <= before.sequence) return "the gap is of sequences that have settled";
    if (gap.last - before.sequence > Gap::most_missing) return "the gap is too long";
    if (gap.balance > before.balance) return "the gap's balance is above the settled one";
    return nullptr;
}

AuditedGap::AuditedGap(std::uint64_t line, const SettledCard& before, const Gap& gap)
    : before_(before), end_{gap.last_result, gap.balance}
{
    const auto moved = before.balance.to_minor_units() - gap.balance.to_minor_units();
    report_.line = line;
    report_.card = gap.card_id;
    report_.first = before.sequence + 1;
    report_.last = gap.last;
    report_.moved = report_.left = static_cast<std::int64_t>(moved);
}

// PAY works in the operational state alone, and a payment is right behind the gap.
Objection AuditedGap::check_kind(const Record& record) const
{
    const auto kind = record.operation.kind;
    const bool is_first = record.receipt.result.sequence == first();
    if (!is_first && kind != Kind::payment)
        return "only the first sequence of a gap can be anything but a payment";
    const bool follows = !is_first || (admits(before_.state, kind) &&
                                       next(before_.state, kind) == CardState::operational);
    if (!follows || record.receipt.result.state != CardState::operational)
        return "the state does not follow";
    return nullptr;
}

std::optional<AuditedGap::End> AuditedGap::in_front_of(std::uint32_t sequence) const
{
    if (sequence == first()) return End{before_.last_result, before_.balance};
    const auto found = late_.find(sequence - 1);
    return found == late_.end() ? std::nullopt : std::optional(found->second.back);
}

std::optional<AuditedGap::End> AuditedGap::behind(std::uint32_t sequence) const
{
    if (sequence == report_.last) return end_;
    const auto found = late_.find(sequence + 1);
    return found == late_.end() ? std::nullopt : std::optional(found->second.front);
}

Objection AuditedGap::check_ends(std::uint32_t sequence, const Late& late) const
{
    if (const auto known = in_front_of(sequence)) {
        if (known->result != late.front.result)
            return "the result does not continue the card's chain";
        if (known->balance != late.front.balance) return "the balance does not follow";
    }
    if (const auto known = behind(sequence)) {
        if (known->result != late.back.result)
            return "the card's chain does not continue the result";
        if (known->balance != late.back.balance) return "the balance is not the one that follows";
    }
    return nullptr;
}

Objection AuditedGap::add(const Record& record)
{
    const auto& result = record.receipt.result;
    const auto amount = record.operation.amount;
    if (late_.contains(result.sequence)) return "the sequence has settled already";
    if (const auto wrong = check_kind(record)) return wrong;
    const auto had = checked_add(result.balance, -amount);
    if (!had) return "the balance does not follow";
    const Late late{.front = {result.previous_result, *had},
                    .back = {result.digest(), result.balance}};
    if (const auto wrong = check_ends(result.sequence, late)) return wrong;
    std::int64_t left = 0;
    if (__builtin_add_overflow(report_.left, amount.to_minor_units(), &left))
        return "the account's balance leaves 64 bits";
    if (left < 0) return "the gap has not left that much";
    report_.left = left;
    ++report_.settled_late;
    late_.emplace(result.sequence, late);
    return nullptr;
}

}  // namespace tallycard
