// SPDX-License-Identifier: Apache-2.0
#include <tallycard/terminal.hpp>

#include <algorithm>
#include <string>

#include "../protocol/digest.hpp"
#include "notes.hpp"

namespace tallycard {

using contact::Contact;
using contact::Intent;
using contact::journal_intent;
using contact::note_intent;

namespace {

// The id of one half: the first 16 bytes of SHA-256(id ‖ half).
OperationId half_of(const OperationId& id, std::string_view half)
{
    Encoded<OperationId::size + 8> bytes(id.bytes());
    bytes.append({reinterpret_cast<const std::uint8_t*>(half.data()), half.size()});
    return OperationId(sha256(bytes).bytes().first<OperationId::size>());
}

// The second card does not answer. What an earlier call did to the first one stays.
CardToCard without_receiver(const contact::Contact& contact, const OperationId& out_id,
                            const Error& error)
{
    const auto status = contact.issuer.status(out_id, contact.settings.name);
    if (!status && status.error().code == Errc::unknown_operation)
        return {NotApplied{error}, std::nullopt};
    if (!status) return {InDoubt{std::nullopt, error}, std::nullopt};
    if (status->progress == Progress::pending)
        return {InDoubt{status->first.operation, error}, std::nullopt};
    CardToCard both{contact::conclude(contact, out_id, *status), std::nullopt};
    if (std::holds_alternative<Applied>(both.out)) both.in = InDoubt{std::nullopt, error};
    return both;
}

// The first half did not happen, and so the second one never will.
void note_neither(OperationJournal* journal, const OperationId& in_id)
{
    const auto* entry = journal == nullptr ? nullptr : journal->find(in_id);
    if (entry != nullptr && entry->is_open() && !entry->receipt) (void)journal->not_applied(in_id);
}

}  // namespace

CardToCardIds card_to_card_ids(const OperationId& id)
{
    return {half_of(id, "out"), half_of(id, "in")};
}

CardToCard Terminal::card_to_card(CardLink& from, CardLink& to, const OperationId& id,
                                  Amount amount, const HolderPin& pin,
                                  const HolderPin& receiver_pin,
                                  const std::optional<CardId>& receiver)
{
    const auto ids = card_to_card_ids(id);
    const Contact receiving{*issuer_, settings_, to};
    // Whatever answers in the other reader may have repeated what a card said when it was selected.
    const auto proven = state(to, receiver_pin);
    const auto is_other = proven && receiver && proven->card_id != *receiver;
    if (!proven || is_other) {
        const auto error =
            proven ? Error{.code = Errc::wrong_card, .where = "receiving card"} : proven.error();
        return without_receiver({*issuer_, settings_, from}, ids.out, error);
    }
    const auto account = holder_account(proven->card_id);
    const Intent in{.kind = Kind::transfer_in,
                    .amount = amount,
                    .account = account,
                    .parameter = {},
                    .after = ids.out};
    if (amount <= Amount{})
        return {NotApplied{{.code = Errc::bad_amount, .where = "card to card"}}, std::nullopt};
    const bool is_new = settings_.journal != nullptr && settings_.journal->find(ids.in) == nullptr;
    // Written down first: once the first half has been done, the second one is known of.
    const auto noted = note_intent(receiving, journal_intent(ids.in, proven->card_id, in));
    if (!noted) return {NotApplied{noted.error()}, std::nullopt};

    CardToCard both{transfer_out(from, ids.out, amount, account, pin), {}};
    if (std::holds_alternative<Applied>(both.out)) {
        both.in = perform(receiving, ids.in, in, card_asks(receiving, ids.in, in));
    } else if (const auto* refused = std::get_if<NotApplied>(&both.out)) {
        if (is_new || refused->reason.code != Errc::conflict)
            note_neither(settings_.journal, ids.in);
    }
    return both;
}

}  // namespace tallycard
