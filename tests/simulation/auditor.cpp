// SPDX-License-Identifier: Apache-2.0
#include "auditor.hpp"

#include <algorithm>

#include <tallycard/verify.hpp>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/wire.hpp"

namespace simulation {
namespace {

Bytes bytes_of(const Entry& entry)
{
    const auto encoded = entry.encode();
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
    if (refunds_.contains(id)) refunding_.emplace(id, operation);
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
    if (request.refunds) refunds_.emplace(request.id, *request.refunds);
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
    books_.disclosed(operation);
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

void Auditor::submitted(const Submission& submission, const Result<Settlement>& reply)
{
    const auto& result = submission.receipt.result;
    const Place place{result.card_id, result.sequence};
    if (!reply) {
        if (reply.error().code == Errc::evidence) results_[place].insert(result.digest());
        return;
    }
    results_[place].insert(result.digest());
    check(reply->sequence == result.sequence && reply->balance == result.balance, "I6",
          "a settlement of something else");
    check(!reply->restored, "I15", "the platform forgot what it had signed");
    if (!reply->settled) {
        environment_.probes.reach("result kept until those before it come");
        kept_.insert(place);
        const auto& executed = submission.executed;
        if (executed && executed->operation.kind == Kind::payment)
            books_.kept(place, -executed->operation.amount.to_minor_units());
        return;
    }
    const auto [known, is_new] = acknowledged_.emplace(place, reply->ledger_index);
    check(is_new || known->second == reply->ledger_index, "I6",
          "the same result was settled differently, " + place_name(place.first, place.second));
    if (!is_new) environment_.probes.reach("result settled again");
}

// I21: asking twice is asking once.
void Auditor::executed(const SignedOrder& order, const Result<ExecutedOrder>& reply)
{
    if (!reply) return;
    check(reply->record.order == order.order, "I6", "another order was executed");
    const auto [known, is_new] = executed_.emplace(digest_of(order.order), *reply);
    check(is_new || (known->second.ledger_index == reply->ledger_index &&
                     known->second.record == reply->record && known->second.time == reply->time),
          "I21", "the same order was answered differently");
    if (!is_new) environment_.probes.reach("order asked for again");
}

std::optional<Operation> Auditor::payment(std::uint64_t number) const
{
    if (payments_.empty()) return std::nullopt;
    return std::next(payments_.begin(), static_cast<std::ptrdiff_t>(number % payments_.size()))
        ->second;
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

// The entry follows from what was said and done; the books follow from the entry.
void Auditor::take(const Entry& entry, const std::vector<CardRow>& rows, const Cards& cards)
{
    check(entry.valid(), "I11", "an entry that is none");
    check(entry.time <= environment_.latest, "I20", "an entry of the future");
    if (const auto* record = entry.record()) {
        const auto row = std::ranges::find(rows, record->receipt.result.card_id, &CardRow::card_id);
        check(row != rows.end(), "I11", "a record of an unknown card");
        take(*record, *row, cards);
    }
    if (const auto* gap = entry.gap()) check_gap(*gap, cards);
    books_.take(entry);
}

void Auditor::take(const Record& record, const CardRow& row, const Cards& cards)
{
    const auto& operation = record.operation;
    const auto& result = record.receipt.result;
    const auto digest = operation.digest();
    const Place place{result.card_id, result.sequence};
    check(result.operation == digest && operation.card_id == result.card_id &&
              operation.sequence == result.sequence,
          "I11", "a record whose halves do not belong together");
    check(places_.emplace(place, entries_.size()).second, "I11", "a result settled twice");
    ended_by_.emplace(place, digest);
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
    if (operation.kind == Kind::payment) {
        payments_.emplace(place, operation);
        return;
    }
    check(record.issuer_signature.has_value(), "I11", "a record without the issuer's signature");
    check(environment_.signed_operations.contains(digest), "I10", "settled, and never signed");
    if (needs_request(operation.kind))
        check(environment_.requested_operations.contains(digest), "I10",
              "settled, and the card never asked for it");
}

// Where a gap ends the card was once.
void Auditor::check_gap(const Gap& gap, const Cards& cards)
{
    if (is_forked(cards, gap.card_id)) return;
    const auto card =
        std::ranges::find_if(cards, [&](const SimCard* one) { return one->id() == gap.card_id; });
    check(card != cards.end() && gap.last < (*card)->executed().size(), "I23",
          "a gap of an unknown card, or ahead of it");
    const auto& last = (*card)->executed()[gap.last - 1].receipt.result;
    check(last.balance == gap.balance && last.digest() == gap.last_result, "I23",
          "a gap that ends where the card never was");
}

// I15: what was answered is in the ledger.
void Auditor::check_acknowledged() const
{
    for (const auto& [place, index] : acknowledged_) {
        const auto found = places_.find(place);
        check(found != places_.end() && found->second == index, "I15",
              "what was answered as settled is not in the ledger, " +
                  place_name(place.first, place.second));
    }
    for (const auto& [digest, order] : executed_) {
        check(order.ledger_index < entries_.size(), "I15", "an executed order is not there");
        const Entry entry{order.time, order.record};
        check(entries_[order.ledger_index] == bytes_of(entry), "I15",
              "what was answered as executed is not in the ledger");
    }
}

// I11, and that the ledger only grows.
void Auditor::read_ledger(Platform& platform, const std::vector<CardRow>& rows, const Cards& cards)
{
    const auto head = platform.ledger_head();
    check(head.has_value() && head->size >= entries_.size(), "I11", "the ledger shrank");
    if (!entries_.empty()) {
        const auto last = platform.entry(entries_.size() - 1);
        check(last && *last && bytes_of(**last) == entries_.back(), "I11", "an entry changed");
    }
    const auto fresh = platform.entries(entries_.size(), 1000);
    check(fresh.has_value(), "I11", "the ledger cannot be read");
    for (const auto& entry : *fresh) {
        take(entry, rows, cards);
        entries_.push_back(bytes_of(entry));
        environment_.note(entries_.back());
    }
    check(!books_.waits_for_payment(), "I23", "a gap without its payment behind it");
    for (const auto& [card_id, sequence] : kept_)
        check(is_forked(cards, card_id) || sequence != books_.card(card_id).sequence + 1, "I11",
              "a result was kept, and did not settle in its turn");
    check(head->size == entries_.size(), "I11", "the tree and the entries disagree");
    check_acknowledged();
}

void Auditor::after_step(Platform& platform, const Cards& cards)
{
    find_unheard(platform);
    const auto rows = platform.cards();
    check(rows.has_value(), "I15", "the cards cannot be read");
    for (const auto& row : *rows)
        if (!books_.cards().contains(row.card_id)) books_.issued(row.card_id, row.limits);
    read_ledger(platform, *rows, cards);
    check_books(platform, *rows, cards);
    check_evidence(platform, *rows, cards);
    check_deny_list(platform, *rows);
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
        check_gaps_at_end(*card);
    }
    std::optional<Record> last;
    for (std::uint64_t i = 0; i < entries_.size(); ++i) {
        const auto entry = platform.entry(i);
        check(entry && *entry, "I11", "an entry is gone");
        check(bytes_of(**entry) == entries_[i], "I11", "an entry changed");
        if ((*entry)->record() != nullptr) last = *(*entry)->record();
    }
    const auto row = std::ranges::find(*rows, last.value().operation.card_id, &CardRow::card_id);
    check_tags(*last, *row);
}

}  // namespace simulation
