// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "contact.hpp"

namespace tallycard::contact {
namespace {

// What the card executed from `first` on, oldest first, and where it stands.
struct Reading {
    CardInfo info;
    std::vector<HistoryEntry> log;
};

Result<Reading> read_log(const Contact& contact, const CardId& card_id, std::uint32_t settled)
{
    auto session = begin(contact);
    if (!session) return session.error();
    Reading reading{session->info(), {}};
    if (reading.info.card_id != card_id) return Error{.code = Errc::wrong_card, .where = "resolve"};
    constexpr std::uint32_t log_size = 16;
    if (reading.info.sequence > settled && reading.info.sequence - settled > log_size)
        return Error{.code = Errc::not_in_log, .where = "resolve"};
    for (auto sequence = settled; sequence < reading.info.sequence;) {
        ++sequence;
        const auto entry = log_entry(*session, sequence);
        if (!entry) return entry.error();
        reading.log.push_back(*entry);
    }
    return reading;
}

// True where this terminal may deliver an operation. A debit is delivered by the terminal that
// asked for it alone, which has it in its journal, where it keeps one.
bool is_ours_to_deliver(const Contact& contact, const Operation& operation)
{
    const auto* journal = contact.settings.journal;
    if (!is_debit(operation.kind) || journal == nullptr) return true;
    return std::ranges::any_of(journal->entries(), [&](const JournalEntry& entry) {
        const auto& intent = entry.intent;
        return entry.is_open() && intent.card_id == operation.card_id &&
               intent.kind == operation.kind && intent.amount == operation.amount &&
               intent.account == operation.account;
    });
}

// The merchant's, where this terminal made the payment: its nonce is the id.
std::optional<Reference> reference_of(const Contact& contact, const Operation& operation)
{
    const auto* journal = contact.settings.journal;
    if (journal == nullptr || operation.kind != Kind::payment) return std::nullopt;
    const auto* known = journal->find(OperationId(operation.nonce.bytes()));
    return known == nullptr ? std::nullopt : known->intent.reference;
}

// Ends what the platform has pending for the card. True when it was delivered.
Result<bool> end_pending(const Contact& contact, const CardStanding& standing, Pending pending,
                         const std::optional<Operation>& shown)
{
    const bool cancel = pending == Pending::cancel || standing.denied || standing.voiding ||
                        !standing.pending ||
                        !is_ours_to_deliver(contact, standing.pending->operation);
    if (!cancel) {
        const bool is_shown = shown == standing.pending->operation;
        const auto receipt =
            deliver(contact, *standing.pending, is_shown ? contact.pin : HolderPin{});
        if (receipt) {
            const auto settled =
                contact.issuer.settle({*receipt, std::nullopt, contact.settings.name});
            if (!settled) return settled.error();
            return true;
        }
        if (!is_refusal(receipt.error())) return receipt.error();
    }
    const auto cancelled = cancel_pending(contact, standing.card_id);
    if (!cancelled) return cancelled.error();
    return false;
}

}  // namespace

Result<Resolution> resolve(const Contact& contact, Pending pending,
                           const std::optional<Operation>& shown)
{
    auto session = begin(contact);
    if (!session) return session.error();
    const auto card_id = session->info().card_id;
    if (auto ended = session->end(); !ended) return ended.error();

    auto standing = contact.issuer.standing(card_id, contact.settings.name);
    if (!standing) return standing.error();
    const auto reading = read_log(contact, card_id, standing->settled);
    if (!reading) return reading.error();
    if (reading->info.sequence < standing->settled)
        return Error{.code = Errc::card_behind, .where = "resolve"};

    Resolution resolution;
    for (const auto& entry : reading->log) {
        const auto settled =
            contact.issuer.settle({entry.receipt, entry.executed, contact.settings.name,
                                   reference_of(contact, entry.executed.operation)});
        if (!settled) return settled.error();
        ++resolution.settled;
    }
    standing = contact.issuer.standing(card_id, contact.settings.name);
    if (standing && standing->is_pending()) {
        resolution.of_another_terminal = standing->withheld;
        const auto delivered = end_pending(contact, *standing, pending, shown);
        if (!delivered) return delivered.error();
        ++(*delivered ? resolution.delivered : resolution.voided);
        standing = contact.issuer.standing(card_id, contact.settings.name);
    }
    if (!standing) return standing.error();
    resolution.standing = *standing;
    return resolution;
}

}  // namespace tallycard::contact
