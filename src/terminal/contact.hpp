// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/card_session.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/outcome.hpp>
#include <tallycard/terminal.hpp>

namespace tallycard::contact {

// One card at one terminal, for the length of one business operation. Borrows everything.
struct Contact {
    IssuerClient& issuer;
    const TerminalSettings& settings;
    CardLink& card;
    HolderPin pin = {};
};

// A session with the application selected, on a card that has been issued.
Result<CardSession> begin(const Contact& contact);

// Gives the card the PIN, where there is one.
Result<void> give_pin(CardSession& session, const HolderPin& pin);

// An operation of the card's log and its receipt: the card's signature is verified, and that it is
// for that operation.
Result<HistoryEntry> log_entry(CardSession& session, std::uint32_t sequence);

// The card's word, signed now. What SELECT said of its sequence may have been changed on the way.
Result<StateStatement> prove(CardSession& session);

// Gives the card a signed operation, in a transaction of its own, a debit with this PIN where one
// is given. Its receipt, verified.
Result<Receipt> deliver(const Contact& contact, const FirstInstruction& first,
                        const HolderPin& pin);

// Whether an error of deliver() is the card's own refusal, so that the operation will not execute
// now and is to be voided; any other error leaves it open.
bool is_refusal(const Error& error);

// Whether an error is about the PIN itself: giving it again would use up another try.
bool is_pin_error(const Error& error);

// Settles what the card's log holds beyond the platform, then ends what is pending: delivers it, or
// voids it when the card refuses it, where Pending::cancel says so, when the card is denied, or
// where it is a debit that this terminal did not ask for. The holder's PIN is for `shown` alone,
// the operation that the holder was shown.
enum class Pending : bool { deliver, cancel };
Result<Resolution> resolve(const Contact& contact, Pending pending,
                           const std::optional<Operation>& shown = std::nullopt);

// Has the platform sign a void beside what is pending, and the card execute it.
Result<Settlement> cancel_pending(const Contact& contact, const CardId& card_id);

// Brings an operation that the platform knows to its end.
Outcome conclude(const Contact& contact, const OperationId& id, const OperationStatus& status);

}  // namespace tallycard::contact
