// SPDX-License-Identifier: Apache-2.0
#include "auditor.hpp"

#include <algorithm>

#include <tallycard/verify.hpp>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/wire.hpp"

namespace simulation {
namespace {

Bytes bytes_of(const Record& record)
{
    const auto encoded = record.encode();
    return {encoded.bytes().begin(), encoded.bytes().end()};
}

bool moves_cash(Kind kind)
{
    return kind == Kind::top_up || kind == Kind::cash_out;
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
    const auto& operation = status.first.operation;
    const auto digest = operation.digest();
    const auto [known, is_new] = by_id_.emplace(id, digest);
    check(is_new || known->second == digest, "I6", "one id was signed for twice");
    const auto [asker, is_first] = terminals_.emplace(digest, terminal);
    check(is_first || asker->second == terminal, "I10", "one operation, signed for two terminals");
    check(!moves_cash(operation.kind) || operation.account == terminal, "I10",
          "the cash of a terminal that did not ask for it");
    disclosed(status.first);
    if (status.progress == Progress::settled)
        check(status.receipt && status.receipt->result.operation == digest, "I10",
              "settled without its receipt");
}

void Auditor::asked_for(const OperationId& id, const AccountId& terminal)
{
    if (!by_id_.contains(id)) unheard_.insert_or_assign(id, terminal);
}

void Auditor::asked_for(const TransferRequest& request)
{
    asked_for(request.id, request.terminal);
    asking_[request.second.operation.digest()].insert(request.terminal);
}

bool Auditor::has_asked(const OperationId& id, const AccountId& terminal) const
{
    const auto asked = unheard_.find(id);
    if (asked != unheard_.end()) return asked->second == terminal;
    const auto digest = operation_of(id);
    return digest && terminals_.at(*digest) == terminal;
}

// Operations that were signed, and the answer was lost.
void Auditor::find_unheard(Platform& platform)
{
    for (auto asked = unheard_.begin(); asked != unheard_.end();) {
        const auto status = platform.status(asked->first, asked->second);
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
    check(!needs_request(operation.kind) || environment_.requested_operations.contains(digest),
          "I10", "signed, and the card never asked for it");
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

// A pending debit is shown to the terminal that asked for it alone. Where its answer was lost and
// others asked for the same, it is one of them.
void Auditor::shown(const FirstInstruction& first, const std::optional<AccountId>& terminal)
{
    disclosed(first);
    const auto& operation = first.operation;
    if (!is_debit(operation.kind)) return;
    const auto where = place_name(operation.card_id, operation.sequence);
    check(terminal.has_value(), "I10", "a pending debit was shown to nobody's name, " + where);
    const auto digest = operation.digest();
    const auto known = terminals_.find(digest);
    const auto asking = asking_.find(digest);
    const bool asked = known != terminals_.end()
                           ? known->second == *terminal
                           : asking != asking_.end() && asking->second.contains(*terminal);
    check(asked && (operation.kind != Kind::cash_out || operation.account == *terminal), "I10",
          "a pending debit was shown to a terminal that did not ask for it, " + where);
}

void Auditor::withheld(const CardStanding& standing, const std::optional<AccountId>& terminal)
{
    environment_.probes.reach("debit withheld from another terminal");
    check(!standing.pending, "I10", "withheld, and shown");
    const auto place = signed_.find({standing.card_id, standing.settled + 1});
    if (place == signed_.end() || !place->second.operation || !terminal) return;
    const auto known = terminals_.find(*place->second.operation);
    check(known == terminals_.end() || known->second != *terminal, "I9",
          "a debit was withheld from the terminal that asked for it");
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
    check(!reply->restored, "I15", "the platform forgot what it had signed");
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
    if (needs_request(operation.kind))
        check(environment_.requested_operations.contains(digest), "I10",
              "settled, and the card never asked for it");
    if (!moves_value(operation.kind)) return;
    accounts_[other_side(operation)] -= operation.amount.to_minor_units();
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
    const auto restored = platform.restored();
    check(restored && *restored == 0, "I15", "the platform forgot what it had signed");
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
