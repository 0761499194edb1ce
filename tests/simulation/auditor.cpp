// SPDX-License-Identifier: Apache-2.0
#include "auditor.hpp"

#include <algorithm>

#include <tallycard/verify.hpp>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/wire.hpp"

namespace simulation {
namespace {

std::string place_name(const CardId& card_id, std::uint32_t sequence)
{
    return "card " + card_id.to_string().substr(0, 8) + " sequence " + std::to_string(sequence);
}

// The other side of a card's operation, as docs/architecture.md has it.
std::string other_side(const Operation& operation, const std::optional<AccountId>& terminal)
{
    if (operation.account) return "2/" + std::string(operation.account->text());
    return "1/" + std::string(terminal ? terminal->text() : "?");
}

std::string name_of(const AccountName& name)
{
    return std::to_string(static_cast<int>(name.kind)) + "/" + std::string(name.id.text());
}

Bytes bytes_of(const Record& record)
{
    const auto encoded = record.encode();
    return {encoded.bytes().begin(), encoded.bytes().end()};
}

// I17, for both signatures of a record.
void check_tags(const Record& record, const CardRow& row)
{
    namespace domain = wire::domain;
    const auto result = record.receipt.result.encode();
    for (const auto tag : {domain::operation, domain::request, domain::state, domain::card_key})
        check(!ed25519::verify(record.receipt.card_signature, tag, result, row.public_key), "I17",
              "a result's signature is good under another tag");
    if (!record.issuer_signature) return;
    const auto operation = record.operation.encode();
    for (const auto tag : {domain::result, domain::request, domain::state, domain::card_key})
        check(!ed25519::verify(*record.issuer_signature, tag, operation, row.operation_key), "I17",
              "an operation's signature is good under another tag");
}

}  // namespace

bool Auditor::is_forked(const Cards& cards, const CardId& card_id)
{
    return std::ranges::any_of(
        cards, [&](const SimCard* card) { return card->id() == card_id && card->forked; });
}

void Auditor::signed_for(const OperationId& id, const AccountId& terminal,
                         const OperationStatus& status)
{
    const auto digest = status.first.operation.digest();
    const auto [known, is_new] = by_id_.emplace(id, digest);
    check(is_new || known->second == digest, "I6", "one id was signed for twice");
    terminals_.emplace(digest, terminal);
    disclosed(status.first);
    if (status.progress == Progress::settled)
        check(status.receipt && status.receipt->result.operation == digest, "I10",
              "settled without its receipt");
}

void Auditor::asked_for(const OperationId& id, const AccountId& terminal)
{
    if (!by_id_.contains(id)) unheard_.insert_or_assign(id, terminal);
}

// Operations that were signed, and the answer was lost.
void Auditor::find_unheard(Platform& platform)
{
    for (auto asked = unheard_.begin(); asked != unheard_.end();) {
        const auto status = platform.status(asked->first);
        if (status) signed_for(asked->first, asked->second, *status);
        asked = status ? unheard_.erase(asked) : std::next(asked);
    }
}

// The platform keeps one operation pending per card; beside it, with the same sequence, a void.
void Auditor::disclosed(const FirstInstruction& first)
{
    const auto& operation = first.operation;
    auto& known = signed_[{operation.card_id, operation.sequence}];
    const auto digest = operation.digest();
    check(environment_.signed_operations.contains(digest), "I10", "an operation nobody signed");
    if (known.operation == digest || known.beside == digest) return;
    if (operation.kind == Kind::cancel) {
        check(!known.beside, "I5",
              "two voids, " + place_name(operation.card_id, operation.sequence));
        known.beside = digest;
        return;
    }
    check(!known.operation, "I5",
          "two operations in flight, " + place_name(operation.card_id, operation.sequence));
    known.operation = digest;
}

void Auditor::submitted(const Receipt& receipt, const Result<Settlement>& reply)
{
    const Place place{receipt.result.card_id, receipt.result.sequence};
    if (!reply) {
        if (reply.error().code == Errc::evidence) results_[place].insert(receipt.result.digest());
        return;
    }
    results_[place].insert(receipt.result.digest());
    check(reply->sequence == receipt.result.sequence && reply->balance == receipt.result.balance,
          "I6", "a settlement of something else");
    if (!reply->settled) {
        environment_.probes.reach("result kept until those before it come");
        kept_.insert(place);
        return;
    }
    const auto [known, is_new] = acknowledged_.emplace(place, reply->ledger_index);
    check(is_new || known->second == reply->ledger_index, "I6",
          "the same result was settled differently, " + place_name(place.first, place.second));
    if (!is_new) environment_.probes.reach("result settled again");
}

std::optional<Digest> Auditor::operation_of(const OperationId& id) const
{
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return std::nullopt;
    return found->second;
}

bool Auditor::is_settled(const CardId& card_id, std::uint32_t sequence) const
{
    return places_.contains({card_id, sequence});
}

void Auditor::take(const Record& record, const CardRow& row, const Cards& cards)
{
    const auto& operation = record.operation;
    const auto& result = record.receipt.result;
    const auto digest = operation.digest();
    const Place place{result.card_id, result.sequence};
    check(record.valid() && result.operation == digest && operation.card_id == result.card_id &&
              operation.sequence == result.sequence,
          "I11", "a record whose halves do not belong together");
    check(result.sequence == ++settled_[result.card_id], "I5",
          "records out of order, " + place_name(place.first, place.second));
    auto& last = last_result_[result.card_id];
    check(result.previous_result == last, "I5",
          "a record that does not continue the chain, " + place_name(place.first, place.second));
    last = result.digest();
    check(places_.emplace(place, records_.size()).second, "I11", "a result settled twice");
    check(verify(record.receipt, row.public_key).has_value(), "I10",
          "a record without the card's signature");
    check(std::ranges::any_of(cards,
                              [&](const SimCard* card) {
                                  return card->id() == result.card_id &&
                                         std::ranges::any_of(card->executed(), [&](const auto& e) {
                                             return e.receipt.result == result;
                                         });
                              }) ||
              is_forked(cards, result.card_id),
          "I10", "a record of what no card executed");
    if (operation.kind != Kind::payment) {
        check(record.issuer_signature.has_value(), "I11",
              "a record without the issuer's signature");
        check(environment_.signed_operations.contains(digest), "I10", "settled, and never signed");
    }
    if (!moves_value(operation.kind)) return;
    const auto terminal = terminals_.find(digest);
    const auto& side = other_side(
        operation, terminal == terminals_.end() ? std::nullopt : std::optional(terminal->second));
    accounts_[side] -= operation.amount.to_minor_units();
}

// I11, and that the ledger only grows.
void Auditor::read_ledger(Platform& platform, const std::vector<CardRow>& rows, const Cards& cards)
{
    const auto head = platform.ledger_head();
    check(head.has_value() && head->size >= records_.size(), "I11", "the ledger shrank");
    if (!records_.empty()) {
        const auto last = platform.record(records_.size() - 1);
        check(last && *last && bytes_of(**last) == records_.back(), "I11", "a record changed");
    }
    const auto fresh = platform.records(records_.size(), 1000);
    check(fresh.has_value(), "I11", "the ledger cannot be read");
    for (const auto& record : *fresh) {
        const auto row = std::ranges::find(rows, record.receipt.result.card_id, &CardRow::card_id);
        check(row != rows.end(), "I11", "a record of an unknown card");
        take(record, *row, cards);
        records_.push_back(bytes_of(record));
        environment_.note(records_.back());
    }
    for (const auto& [card_id, sequence] : kept_)
        check(is_forked(cards, card_id) || sequence != settled_[card_id] + 1, "I11",
              "a result was kept, and did not settle in its turn");
    check(head->size == records_.size(), "I11", "the tree and the records disagree");
    for (const auto& [place, index] : acknowledged_) {
        const auto found = places_.find(place);
        check(found != places_.end() && found->second == index, "I15",
              "what was answered as settled is not in the ledger, " +
                  place_name(place.first, place.second));
    }
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
        const auto terminal = terminals_.find(operation.digest());
        check(terminal != terminals_.end(), "I2", "pending, and nobody asked for it");
        const auto side = other_side(operation, terminal->second);
        promised[side] += operation.amount.to_minor_units();
    }
    for (const auto& row : accounts) {
        auto& expected = promised[name_of(row.name)];
        check(row.reserved == expected, "I2", "reserved on " + name_of(row.name) + " for nothing");
        expected = 0;
    }
    for (const auto& [side, left] : promised) check(left == 0, "I2", "not reserved on " + side);
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
        proven.insert(card_id);
        check(is_forked(cards, card_id), "I14", "an honest card was accused");
        const auto card = std::ranges::find(rows, card_id, &CardRow::card_id);
        check(card != rows.end() && card->denied, "I14", "evidence, and the card is not denied");
        check(verify(row.receipt, card->public_key).has_value(), "I14", "evidence nobody signed");
        environment_.probes.reach("clone proven");
    }
    for (const auto& [place, results] : results_)
        check(results.size() < 2 || proven.contains(place.first), "I14",
              "two results for one sequence, and no evidence");
    for (const auto& row : rows) {
        if (denied_in_doubt_.contains(row.card_id)) continue;
        const bool expected = denied_[row.card_id] || proven.contains(row.card_id);
        check(row.denied == expected, "I14", "the deny list is not what it was told");
    }
}

void Auditor::after_step(Platform& platform, const Cards& cards)
{
    find_unheard(platform);
    const auto rows = platform.cards();
    check(rows.has_value(), "I15", "the cards cannot be read");
    read_ledger(platform, *rows, cards);
    check_books(platform, *rows, cards);
    check_evidence(platform, *rows, cards);
}

void Auditor::at_end(Platform& platform, const Cards& cards)
{
    after_step(platform, cards);
    const auto rows = platform.cards();
    const auto pending = platform.pending();
    for (const auto& first : *pending)
        check(is_forked(cards, first.operation.card_id), "I9", "an operation never ended");
    for (const auto* card : cards) {
        if (is_forked(cards, card->id())) continue;
        const auto row = std::ranges::find(*rows, card->id(), &CardRow::card_id);
        check(row != rows->end() && row->settled == card->memory().sequence &&
                  row->last_result == card->memory().last_result &&
                  row->balance == card->memory().balance,
              "I4", "card and platform do not agree at the end");
    }
    for (std::uint64_t i = 0; i < records_.size(); ++i) {
        const auto record = platform.record(i);
        check(record && *record, "I11", "a record is gone");
        check(bytes_of(**record) == records_[i], "I11", "a record changed");
        const auto row = std::ranges::find(*rows, (*record)->operation.card_id, &CardRow::card_id);
        if (i + 1 == records_.size()) check_tags(**record, *row);
    }
}

}  // namespace simulation
