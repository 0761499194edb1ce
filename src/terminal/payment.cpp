// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "notes.hpp"
#include "payment.hpp"

namespace tallycard {
namespace {

using contact::Contact;
using contact::Intent;
using contact::journal_intent;
using contact::note_intent;

constexpr std::uint32_t log_size = 16;

Operation operation_of(const PaymentOrder& order, const CardId& card_id, std::uint32_t sequence)
{
    return {.kind = Kind::payment,
            .card_id = card_id,
            .sequence = sequence,
            .amount = order.amount,
            .unit = order.unit,
            .nonce = order.nonce,
            .account = order.payee,
            .parameter = {}};
}

// That the card signs what it said when it was selected, before something is taken not to have
// happened: whoever shortens the log on its way must not make a payment happen twice. A card whose
// balance is private says it with its PIN only, and without is taken at its word.
Result<void> check_info(CardSession& session, bool has_pin = false)
{
    const auto& info = session.info();
    if (!info.balance && !has_pin) return {};
    const auto statement = contact::prove(session);
    if (!statement) return statement.error();
    if (statement->sequence != info.sequence)
        return Error{.code = Errc::bad_signature, .where = "SELECT"};
    return {};
}

Result<std::optional<Applied>> paid_something_else()
{
    return Error{.code = Errc::conflict, .where = "payment"};
}

// The payment with this nonce among what the card executed after `known`; empty when there is
// none. Errc::conflict when the nonce paid something else.
Result<std::optional<Applied>> find(CardSession& session, const PaymentOrder& order,
                                    std::uint32_t known)
{
    const auto newest = session.info().sequence;
    const auto oldest = std::max(known, newest > log_size ? newest - log_size : 0);
    for (auto sequence = newest; sequence > oldest; --sequence) {
        const auto entry = contact::log_entry(session, sequence);
        if (!entry) return entry.error();
        const auto& operation = entry->executed.operation;
        if (operation.kind != Kind::payment || operation.nonce != order.nonce) continue;
        if (operation != operation_of(order, operation.card_id, sequence))
            return paid_something_else();
        return std::optional(Applied{operation, entry->receipt, std::nullopt});
    }
    return std::optional<Applied>();
}

// Another issuer's card has a key that nobody derives from our root: what it signed before does not
// verify. A card that signed nothing yet holds nothing.
Result<void> check_genuine(CardSession& session)
{
    if (session.info().sequence == 0) return {};
    const auto receipt = session.result(session.info().sequence);
    if (receipt) return {};
    if (receipt.error().code == Errc::bad_signature)
        return Error{.code = Errc::foreign_card, .where = "payment"};
    return receipt.error();
}

// PAY broke off: the card's log tells, from `before` on.
Outcome recover(const Contact& contact, const PaymentOrder& order, const CardInfo& before,
                Error reason)
{
    const InDoubt in_doubt{std::nullopt, reason};
    auto session = contact::begin(contact);
    if (!session || session->info().card_id != before.card_id) return in_doubt;
    const auto found = find(*session, order, before.sequence);
    if (!found) return in_doubt;
    if (*found) return **found;
    if (!check_info(*session)) return in_doubt;
    reason.effect = Effect::none;
    return NotApplied{reason};
}

// Before PAY was sent: nothing happened, unless it happened when the program asked before.
Outcome stopped(Asked asked, const Error& error)
{
    if (asked == Asked::again) return InDoubt{std::nullopt, error};
    return NotApplied{error};
}

// Whether this program may have asked before: it says so itself, or the journal does.
struct Before {
    Asked asked;
    const JournalEntry* entry;  // of the journal, until it is written to

    std::uint32_t sequence() const
    {
        return entry != nullptr && entry->sent ? entry->sent->sequence : 0;
    }
    // Whether the log of a card at `newest` holds all that it may have executed since.
    bool is_covered(std::uint32_t newest) const
    {
        const bool may_be_older =
            entry != nullptr && entry->stage == JournalStage::sent && newest > sequence();
        return !may_be_older || newest - sequence() <= log_size;
    }
};

// Of a payment that was asked for before: its end, or empty where it has none yet.
std::optional<Outcome> ended_before(CardSession& session, const PaymentOrder& order,
                                    const Before& before)
{
    const auto& info = session.info();
    const bool is_its_card =
        before.entry == nullptr || before.entry->intent.card_id == info.card_id;
    const auto found =
        is_its_card ? find(session, order, before.sequence()) : paid_something_else();
    if (found && *found) return **found;
    const bool is_conflict = !found && found.error().code == Errc::conflict;
    if (!found && !is_conflict) return stopped(Asked::again, found.error());
    if (const auto is_true = check_info(session); !is_true)
        return stopped(Asked::again, is_true.error());
    if (is_conflict) return NotApplied{found.error()};
    if (!before.is_covered(info.sequence))
        return InDoubt{std::nullopt, {.code = Errc::not_in_log, .where = "payment"}};
    return std::nullopt;
}

Outcome attempt(const Contact& contact, const OperationId& id, const Intent& intent,
                const Before& before)
{
    auto session = contact::begin(contact);
    if (!session) return stopped(before.asked, session.error());
    const auto info = session->info();
    const auto* deny_list = contact.settings.deny_list;
    if (deny_list != nullptr && deny_list->is_denied(info.card_id))
        return NotApplied{{.code = Errc::card_denied, .where = "payment"}};
    const PaymentOrder order{intent.amount, info.currency.unit, Nonce(id.bytes()), *intent.account};
    if (before.asked == Asked::again) {
        if (const auto end = ended_before(*session, order, before)) return *end;
    }
    if (auto genuine = check_genuine(*session); !genuine)
        return stopped(before.asked, genuine.error());
    if (auto verified = contact::give_pin(*session, contact.pin); !verified)
        return NotApplied{verified.error()};
    if (before.asked == Asked::again && !info.balance) {
        if (const auto is_true = check_info(*session, contact.pin.is_given()); !is_true)
            return stopped(before.asked, is_true.error());
    }
    const auto noted = note_intent(contact, journal_intent(id, info.card_id, intent),
                                   JournalSent{.sequence = info.sequence, .first = std::nullopt});
    if (!noted) return NotApplied{noted.error()};
    const auto receipt = session->pay(order);
    if (receipt) {
        const auto operation = operation_of(order, info.card_id, receipt->result.sequence);
        return Applied{operation, *receipt, std::nullopt};
    }
    if (receipt.error().effect == Effect::none) return NotApplied{receipt.error()};
    (void)session->end();
    return recover(contact, order, info, receipt.error());
}

}  // namespace

namespace contact {

Outcome look_for_payment(const Contact& contact, const JournalEntry& entry)
{
    auto session = begin(contact);
    if (!session) return InDoubt{std::nullopt, session.error()};
    const PaymentOrder order{entry.intent.amount, session->info().currency.unit,
                             Nonce(entry.intent.id.bytes()), *entry.intent.account};
    const auto end = ended_before(*session, order, {.asked = Asked::again, .entry = &entry});
    if (end) return *end;
    return NotApplied{{.code = Errc::not_in_log, .where = "payment"}};
}

}  // namespace contact

Outcome Terminal::pay(CardLink& card, const OperationId& id, Amount amount, const AccountId& payee,
                      const HolderPin& pin, Asked asked, const std::optional<Reference>& reference)
{
    if (amount <= Amount{}) return NotApplied{{.code = Errc::bad_amount, .where = "payment"}};
    const Contact contact{*issuer_, settings_, card, pin};
    Intent intent{.kind = Kind::payment, .amount = -amount, .account = payee, .parameter = {}};
    intent.reference = reference;
    Before before{asked, settings_.journal == nullptr ? nullptr : settings_.journal->find(id)};
    if (before.entry != nullptr) {
        const auto& known = *before.entry;
        if (known.intent != contact::journal_intent(id, known.intent.card_id, intent))
            return NotApplied{{.code = Errc::conflict, .where = "payment"}};
        if (known.receipt) return Applied{*known.operation, *known.receipt, std::nullopt};
        before.asked = Asked::again;
    }
    auto outcome = attempt(contact, id, intent, before);
    if (auto* applied = std::get_if<Applied>(&outcome)) {
        const auto kept = contact::note_receipt(contact, id, applied->operation, applied->receipt);
        if (!kept) applied->not_kept = kept.error();
    }
    contact::note_end(contact, id, outcome);
    return outcome;
}

}  // namespace tallycard
