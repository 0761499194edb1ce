// SPDX-License-Identifier: Apache-2.0
// Books, cards and evidence, as they are after a step.
#include "auditor.hpp"

#include <algorithm>

#include <tallycard/verify.hpp>

namespace simulation {
namespace {

std::string name_of(const AccountName& name)
{
    return std::to_string(static_cast<int>(name.kind)) + "/" + std::string(name.id.text());
}

// Of an operation of the issuer's that nobody signed, as far as the store remembers.
bool is_revocable(const EvidenceRow& row)
{
    return row.reason == EvidenceReason::foreign_operation && row.operation &&
           row.operation->kind != Kind::payment;
}

}  // namespace

std::string Auditor::place_name(const CardId& card_id, std::uint32_t sequence)
{
    return "card " + card_id.to_string().substr(0, 8) + " sequence " + std::to_string(sequence);
}

// The other side of a card's operation that moves value: field 87 names it, and the kind says
// whether that is a terminal, whose cash moves, or an account.
std::string Auditor::other_side(const Operation& operation)
{
    const bool moves_cash = operation.kind == Kind::top_up || operation.kind == Kind::cash_out;
    return (moves_cash ? "1/" : "2/") + std::string(operation.account.value().text());
}

void Auditor::check_card(const CardRow& row, const SimCard& card) const
{
    const auto where = place_name(row.card_id, row.settled);
    const auto& executed = card.executed();
    check(row.settled <= executed.size(), "I4", "the platform is ahead of the card, " + where);
    if (row.settled > 0) {
        const auto& last = executed[row.settled - 1].receipt.result;
        check(row.last_result == last.digest() && row.balance == last.balance &&
                  row.state == last.state,
              "I4", "the platform's card is not the card, " + where);
    }
    auto balance = static_cast<std::int64_t>(row.balance.to_minor_units());
    for (auto i = row.settled; i < executed.size(); ++i)
        balance += executed[i].operation.amount.to_minor_units();
    check(balance == card.balance(), "I2",
          "a difference that no pending operation explains, " + where);
    if (row.settled == executed.size())
        check(
            row.limits == card.memory().limits && row.operation_key == card.memory().operation_key,
            "I4", "the platform has other limits than the card, or another key, " + where);
    check(executed.size() - row.settled <= 16, "I9", "an unsettled result left the log");
}

// I2: what is reserved is exactly what pending credits will take.
void Auditor::check_reserved(const std::vector<AccountRow>& accounts,
                             const std::vector<FirstInstruction>& pending) const
{
    std::map<std::string, std::int64_t> promised;
    for (const auto& first : pending) {
        const auto& operation = first.operation;
        if (!is_credit(operation.kind)) continue;
        promised[other_side(operation)] += operation.amount.to_minor_units();
    }
    for (const auto& row : accounts) {
        auto& expected = promised[name_of(row.name)];
        check(row.reserved == expected, "I2", "reserved on " + name_of(row.name) + " for nothing");
        expected = 0;
    }
    for (const auto& [side, left] : promised) check(left == 0, "I2", "not reserved on " + side);
}

// What is pending was asked for, and the card will not refuse it for its amount or its balance.
void Auditor::check_pending(const std::vector<CardRow>& rows,
                            const std::vector<FirstInstruction>& pending) const
{
    for (const auto& first : pending) {
        const auto& operation = first.operation;
        check(operation.kind == Kind::cancel || terminals_.contains(operation.digest()), "I2",
              "pending, and nobody asked for it");
        const auto row = std::ranges::find(rows, operation.card_id, &CardRow::card_id);
        check(row != rows.end(), "I2", "pending for an unknown card");
        const auto& limits = row->limits;
        const auto after = static_cast<std::int64_t>(row->balance.to_minor_units()) +
                           operation.amount.to_minor_units();
        check(operation.amount.magnitude() <= limits.maximum_amount.to_minor_units(), "I8",
              "signed above the card's amount limit");
        check(!is_debit(operation.kind) || after >= 0, "I8", "signed, and the balance is too low");
        check(!is_credit(operation.kind) ||
                  after <= static_cast<std::int64_t>(limits.maximum_balance.to_minor_units()),
              "I8", "signed above the card's maximum balance");
    }
}

void Auditor::check_books(Platform& platform, const std::vector<CardRow>& rows, const Cards& cards)
{
    const auto accounts = platform.accounts();
    const auto pending = platform.pending();
    check(accounts.has_value() && pending.has_value(), "I3", "the books cannot be read");
    std::int64_t sum = 0, free_value = 0;
    auto expected = accounts_;
    for (const auto& row : *accounts) {
        sum += row.balance;
        free_value += row.balance - row.reserved;
        check(row.reserved >= 0, "I8", "a reserve below zero");
        if (row.name.kind == AccountKind::associated)
            check(row.balance >= row.reserved, "I8", "an account gave more than it has");
        check(row.balance == expected[name_of(row.name)], "I10",
              "account " + name_of(row.name) + " is not what its records say");
        expected.erase(name_of(row.name));
    }
    for (const auto& [side, balance] : expected)
        check(balance == 0, "I3", "account " + side + " is missing");
    for (const auto& row : rows) {
        const auto settled = static_cast<std::int64_t>(row.balance.to_minor_units());
        sum += settled;
        const auto card =
            std::ranges::find_if(cards, [&](const SimCard* c) { return c->id() == row.card_id; });
        const bool known = card != cards.end() && !is_forked(cards, row.card_id);
        free_value += known ? (*card)->balance() : settled;
        if (known) check_card(row, **card);
        check(row.settled == settled_[row.card_id], "I11", "settled and records disagree");
    }
    check(sum == 0, "I3", "the books sum up to " + std::to_string(sum));
    check(free_value <= 0, "I1", "value was created: " + std::to_string(free_value));
    for (const auto& first : *pending) disclosed(first);
    check_pending(rows, *pending);
    check_reserved(*accounts, *pending);
}

// I14, and that nobody honest is accused.
void Auditor::check_evidence(Platform& platform, const std::vector<CardRow>& rows,
                             const Cards& cards)
{
    const auto evidence = platform.evidence();
    check(evidence.has_value(), "I14", "the evidence cannot be read");
    std::set<CardId> proven;
    for (const auto& row : *evidence) {
        const auto& card_id = row.receipt.result.card_id;
        accused_.insert(card_id);
        if (!is_revocable(row)) {
            proven.insert(card_id);
        } else if (revocable_.insert(row.receipt.result.digest()).second) {
            denied_[card_id] = true;
        }
        check(is_forked(cards, card_id), "I14", "an honest card was accused");
        const auto card = std::ranges::find(rows, card_id, &CardRow::card_id);
        check(card != rows.end() && (card->denied || !proven.contains(card_id)), "I14",
              "evidence, and the card is not denied");
        check(verify(row.receipt, card->public_key).has_value(), "I14", "evidence nobody signed");
        environment_.probes.reach("clone proven");
    }
    for (const auto& [place, results] : results_)
        check(results.size() < 2 || accused_.contains(place.first), "I14",
              "two results for one sequence, and no evidence");
    for (const auto& row : rows) {
        if (denied_in_doubt_.contains(row.card_id)) continue;
        const bool expected = denied_[row.card_id] || proven.contains(row.card_id);
        check(row.denied == expected, "I14", "the deny list is not what it was told");
    }
}

}  // namespace simulation
