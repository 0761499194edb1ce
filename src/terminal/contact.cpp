// SPDX-License-Identifier: Apache-2.0
#include "contact.hpp"

#include <array>

#include <sodium/randombytes.h>

#include "notes.hpp"

namespace tallycard::contact {
namespace {

// What happened to an operation whose delivery broke off: the card's log and the platform know.
Outcome recover(const Contact& contact, const OperationId& id, const Operation& operation,
                Error reason)
{
    const InDoubt in_doubt{operation, reason};
    if (!resolve(contact, Pending::deliver, operation)) return in_doubt;
    const auto status = contact.issuer.status(id, contact.settings.name);
    if (!status || status->progress == Progress::pending) return in_doubt;
    if (status->progress == Progress::settled) return conclude(contact, id, *status);
    reason.effect = Effect::none;
    return NotApplied{reason};
}

// The card will not execute it now. Only another result with its sequence ends it for good; another
// terminal may have brought one about in the meantime.
Outcome refused(const Contact& contact, const OperationId& id, const Operation& operation,
                const Error& reason)
{
    auto status = contact.issuer.status(id, contact.settings.name);
    if (status && status->progress == Progress::pending) {
        (void)cancel_pending(contact, operation.card_id);
        status = contact.issuer.status(id, contact.settings.name);
    }
    if (status && status->progress == Progress::voided) return NotApplied{reason};
    if (status && status->progress == Progress::settled) return conclude(contact, id, *status);
    return InDoubt{operation, reason};
}

Outcome not_delivered(const Contact& contact, const OperationId& id, const Operation& operation,
                      const Error& error)
{
    if (is_pin_error(error)) return InDoubt{operation, error};
    if (is_refusal(error)) return refused(contact, id, operation, error);
    return recover(contact, id, operation, error);
}

}  // namespace

Result<CardSession> begin(const Contact& contact)
{
    auto session =
        CardSession::begin(contact.card, contact.settings.card_root, contact.settings.observer);
    if (session && session->info().state == CardState::blank)
        return Error{.code = Errc::blank_card, .where = "SELECT"};
    return session;
}

Result<void> give_pin(CardSession& session, const HolderPin& pin)
{
    if (pin.is_at_reader()) return session.verify_pin_at_reader();
    if (pin.block() != nullptr) return session.verify_pin(*pin.block());
    return {};
}

Result<HistoryEntry> log_entry(CardSession& session, std::uint32_t sequence)
{
    const auto executed = session.operation(sequence);
    if (!executed) return executed.error();
    const auto receipt = session.result(sequence);
    if (!receipt) return receipt.error();
    if (receipt->result.operation != executed->operation.digest())
        return Error{.code = Errc::bad_signature, .where = "GET OPERATION"};
    return HistoryEntry{*executed, *receipt};
}

Result<StateStatement> prove(CardSession& session)
{
    std::array<std::uint8_t, Challenge::size> challenge;
    randombytes_buf(challenge.data(), challenge.size());
    return session.authenticate(Challenge(challenge));
}

Result<Receipt> deliver(const Contact& contact, const FirstInstruction& first, const HolderPin& pin)
{
    auto session = begin(contact);
    if (!session) return session.error();
    if (session->info().card_id != first.operation.card_id)
        return Error{.code = Errc::wrong_card, .where = "deliver"};
    if (is_debit(first.operation.kind)) {
        if (auto verified = give_pin(*session, pin); !verified) return verified.error();
    }
    return session->execute(first);
}

bool is_refusal(const Error& error)
{
    return error.effect == Effect::none && error.sw != StatusWord{} &&
           error.code != Errc::memory_failure && error.code != Errc::wrong_sequence &&
           !is_pin_error(error);
}

bool is_pin_error(const Error& error)
{
    const bool was_not_typed = error.sw.sw1() == 0x64 &&  // the reader's word: PC/SC part 10
                               (error.code == Errc::cancelled || error.code == Errc::timed_out);
    return error.code == Errc::wrong_pin || error.code == Errc::pin_blocked ||
           error.code == Errc::no_pin || was_not_typed;
}

Result<Settlement> cancel_pending(const Contact& contact, const CardId& card_id)
{
    const auto first = contact.issuer.void_pending(card_id);
    if (!first) return first.error();
    const auto receipt = deliver(contact, *first, {});
    if (!receipt) return receipt.error();
    return contact.issuer.settle({*receipt, std::nullopt, contact.settings.name});
}

Outcome conclude(const Contact& contact, const OperationId& id, const OperationStatus& status)
{
    const auto& operation = status.first.operation;
    if (status.progress == Progress::voided)
        return NotApplied{Error{.code = Errc::operation_ended, .where = name(operation.kind)}};

    auto receipt = status.receipt;
    if (!receipt) {
        const JournalSent sent{.sequence = operation.sequence - 1, .first = status.first};
        if (const auto noted = note_sent(contact, id, sent); !noted)
            return InDoubt{operation, noted.error()};
        const auto delivered = deliver(contact, status.first, contact.pin);
        if (!delivered) return not_delivered(contact, id, operation, delivered.error());
        receipt = *delivered;
        // The platform knows the operation: should this line be missing, it is asked.
        (void)note_receipt(contact, id, operation, *receipt);
    }
    const auto settlement = contact.issuer.settle({*receipt, std::nullopt, contact.settings.name});
    if (!settlement) return InDoubt{operation, settlement.error()};
    return Applied{operation, *receipt, *settlement};
}

}  // namespace tallycard::contact
