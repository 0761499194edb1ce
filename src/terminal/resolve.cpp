// SPDX-License-Identifier: Apache-2.0
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

// Ends what the platform has pending for the card. True when it was delivered.
Result<bool> end_pending(const Contact& contact, const CardStanding& standing, Pending pending)
{
    const bool cancel = pending == Pending::cancel || standing.denied || standing.voiding;
    if (!cancel) {
        const auto receipt = deliver(contact, *standing.pending);
        if (receipt) {
            const auto settled = contact.issuer.settle(*receipt, std::nullopt);
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

Result<Resolution> resolve(const Contact& contact, Pending pending)
{
    auto session = begin(contact);
    if (!session) return session.error();
    const auto card_id = session->info().card_id;
    if (auto ended = session->end(); !ended) return ended.error();

    auto standing = contact.issuer.standing(card_id);
    if (!standing) return standing.error();
    const auto reading = read_log(contact, card_id, standing->settled);
    if (!reading) return reading.error();
    if (reading->info.sequence < standing->settled)
        return Error{.code = Errc::card_behind, .where = "resolve"};

    Resolution resolution;
    for (const auto& entry : reading->log) {
        const auto settled = contact.issuer.settle(entry.receipt, entry.operation);
        if (!settled) return settled.error();
        ++resolution.settled;
    }
    standing = contact.issuer.standing(card_id);
    if (standing && standing->pending) {
        const auto delivered = end_pending(contact, *standing, pending);
        if (!delivered) return delivered.error();
        ++(*delivered ? resolution.delivered : resolution.voided);
        standing = contact.issuer.standing(card_id);
    }
    if (!standing) return standing.error();
    resolution.standing = *standing;
    return resolution;
}

}  // namespace tallycard::contact
