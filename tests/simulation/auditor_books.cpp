// SPDX-License-Identifier: Apache-2.0
// Books, cards and evidence, as they are after a step.
#include "auditor.hpp"

#include <algorithm>

#include <tallycard/verify.hpp>

#include "platform_host.hpp"

namespace simulation {
namespace {

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
    if (row.settled == executed.size() && books_.cards().at(row.card_id).is_whole())
        check(
            row.limits == card.memory().limits && row.operation_key == card.memory().operation_key,
            "I4", "the platform has other limits than the card, or another key, " + where);
    check(executed.size() - row.settled <= 16, "I9", "an unsettled result left the log");
}

// I2: what is reserved is exactly what pending credits will take, those in gaps with them, and not
// what was written off.
void Auditor::check_reserved(const std::vector<AccountRow>& accounts,
                             const std::vector<FirstInstruction>& pending) const
{
    auto credits = books_.credits_in_gaps();
    for (const auto& first : pending)
        if (is_credit(first.operation.kind)) credits.push_back(first.operation);
    std::map<std::string, std::int64_t> promised;
    for (const auto& operation : credits)
        if (books_.written_off(operation.card_id) != operation)
            promised[other_side_of(operation)] += operation.amount.to_minor_units();
    for (const auto& row : accounts) {
        auto& expected = promised[row.name.to_string()];
        check(row.reserved == expected, "I2",
              "reserved on " + row.name.to_string() + " for nothing, or not enough");
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

// I10, I23: each account is what the entries say.
void Auditor::check_accounts(const std::vector<AccountRow>& accounts) const
{
    auto expected = books_.accounts();
    for (const auto& row : accounts) {
        const auto name = row.name.to_string();
        const auto& said = expected[name];
        check(row.reserved >= 0, "I8", "a reserve below zero");
        if (row.name.kind == AccountKind::associated)
            check(row.balance >= row.reserved, "I8", "an account gave more than it has");
        check(row.balance == said.balance, "I10", name + " is not what its entries say");
        check(row.number == said.number, "I21", name + " has another number than its last order");
        check(row.key == said.key && row.key_before == said.key_before, "I19",
              name + " has another key than its orders say");
        expected.erase(name);
    }
    for (const auto& [name, said] : expected)
        check(said.balance == 0 && said.number == 0, "I3", name + " is missing");
    const auto found = books_.accounts().find("account/unaccounted");
    const auto balance = found == books_.accounts().end() ? 0 : found->second.balance;
    check(balance == books_.unaccounted(), "I23", "unaccounted is not what gaps have left");
}

// No more of a payment is given back than was paid.
void Auditor::check_refunds() const
{
    std::map<Place, std::uint64_t> refunded;
    for (const auto& [id, refund] : refunding_) {
        const auto ended = ended_by_.find({refund.card_id, refund.sequence});
        const bool voided = ended != ended_by_.end() && ended->second != refund.digest();
        const auto& payment = refunds_.at(id);
        if (!voided) refunded[{payment.card_id, payment.sequence}] += refund.amount.magnitude();
    }
    for (const auto& [place, sum] : refunded) {
        const auto paid = payments_.find(place);
        check(paid != payments_.end() && sum <= paid->second.amount.magnitude(), "I19",
              "more was refunded than was paid");
    }
}

// I22: what a lost card took beyond its book was not more than it could when it was recovered.
void Auditor::check_losses(const CardRow& row, const Cards& cards) const
{
    const auto& card = books_.cards().at(row.card_id);
    check(row.recovered == card.recovered, "I22", "recovered, and no order says so");
    check(row.given_up_at == card.given_up_at, "I22", "given up at another sequence");
    const auto written_off =
        card.write_off ? std::optional(card.write_off->operation.sequence) : std::nullopt;
    check(row.written_off == written_off, "I22", "another transfer was written off");
    if (is_forked(cards, row.card_id)) return;
    check(card.book() >= std::min<std::int64_t>(0, -card.exposure), "I22",
          "a loss above what the card could spend offline, and what was pending");
    if (card.book() < 0) environment_.probes.reach("a lost card's book is below zero");
}

void Auditor::check_gaps(Platform& platform, const CardId& card_id) const
{
    const auto rows = platform.gaps(card_id);
    const auto& gaps = books_.cards().at(card_id).gaps;
    check(rows && rows->size() == gaps.size(), "I23", "other gaps than the ledger has");
    for (std::size_t i = 0; i < gaps.size(); ++i) {
        const auto& row = (*rows)[i];
        check(row.first == gaps[i].first && row.last == gaps[i].last, "I23",
              "a gap of other sequences than the ledger says");
        check(row.left == gaps[i].left, "I23", "a gap has left another amount");
    }
}

// I23: with all results in, nothing of a gap is left; else what the missing ones moved.
void Auditor::check_gaps_at_end(const SimCard& card) const
{
    for (const auto& gap : books_.cards().at(card.id()).gaps) {
        std::int64_t missing = 0;
        for (auto sequence = gap.first; sequence <= gap.last; ++sequence)
            if (!gap.late.contains(sequence))
                missing -= card.executed()[sequence - 1].operation.amount.to_minor_units();
        check(gap.left == missing, "I23", "a gap has not left what is missing");
        environment_.probes.reach(gap.left == 0 ? "gap settled to nothing" : "gap left something");
    }
}

// The cards' balances, less what was taken out of their books, and all accounts.
void Auditor::check_books(Platform& platform, const std::vector<CardRow>& rows, const Cards& cards)
{
    const auto accounts = platform.accounts();
    const auto pending = platform.pending();
    check(accounts.has_value() && pending.has_value(), "I3", "the books cannot be read");
    std::int64_t sum = 0, free_value = 0;
    for (const auto& row : *accounts) {
        sum += row.balance;
        free_value += row.balance - row.reserved;
    }
    check_accounts(*accounts);
    for (const auto& row : rows) {
        const auto settled = static_cast<std::int64_t>(row.balance.to_minor_units());
        sum += settled - row.recovered;
        const auto card =
            std::ranges::find_if(cards, [&](const SimCard* c) { return c->id() == row.card_id; });
        const bool known = card != cards.end() && !is_forked(cards, row.card_id);
        free_value += (known ? (*card)->balance() : settled) - row.recovered;
        if (known) free_value -= executed_and_written_off(**card);
        if (known) check_card(row, **card);
        check(row.settled == books_.card(row.card_id).sequence, "I11",
              "settled and entries disagree");
        check_losses(row, cards);
        check_gaps(platform, row.card_id);
    }
    check(sum == 0, "I3", "the books sum up to " + std::to_string(sum));
    check(free_value <= 0, "I1", "value was created: " + std::to_string(free_value));
    check_refunds();
    for (const auto& first : *pending) disclosed(first);
    check_pending(rows, *pending);
    check_reserved(*accounts, *pending);
}

// The amount that a card has of a transfer that was written off, and whose result has not come: the
// issuer's loss, when it comes.
std::int64_t Auditor::executed_and_written_off(const SimCard& card) const
{
    const auto gone = books_.written_off(card.id());
    if (!gone || gone->sequence > card.executed().size()) return 0;
    const bool executed = card.executed()[gone->sequence - 1].operation == *gone;
    return executed ? gone->amount.to_minor_units() : 0;
}

// The list only grows, each line changes something, and its note is the issuer's word to it.
void Auditor::check_deny_list(Platform& platform, const std::vector<CardRow>& rows)
{
    const auto update = platform.deny_list(deny_list_.lines(), checkpoint_key());
    check(update.has_value(), "deny list", "cannot be read");
    for (const auto& line : update->lines)
        check(deny_list_.append(line), "deny list", "a line that changes nothing");
    const auto& issuer = platform.issuer();
    const auto head = DenyListHead::open(update->note, issuer.origin, issuer.checkpoint_key);
    check(head && deny_list_.matches(*head), "deny list", "its note is not of this list");
    std::set<CardId> denied;
    for (const auto& row : rows)
        if (row.denied) denied.insert(row.card_id);
    check(deny_list_.denied() == denied, "deny list", "it does not name the denied cards");
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
