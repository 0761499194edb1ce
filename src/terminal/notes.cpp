// SPDX-License-Identifier: Apache-2.0
#include "notes.hpp"

namespace tallycard::contact {
namespace {

const JournalEntry* entry_of(const Contact& contact, const OperationId& id)
{
    const auto* journal = contact.settings.journal;
    return journal == nullptr ? nullptr : journal->find(id);
}

}  // namespace

JournalIntent journal_intent(const OperationId& id, const CardId& card_id, const Intent& intent)
{
    return {.id = id,
            .card_id = card_id,
            .kind = intent.kind,
            .amount = intent.amount,
            .account = intent.account,
            .parameter = intent.parameter,
            .after = intent.after,
            .reference = intent.reference};
}

Result<void> note_intent(const Contact& contact, const JournalIntent& intent,
                         const std::optional<JournalSent>& sent)
{
    if (contact.settings.journal == nullptr) return {};
    return contact.settings.journal->intend(intent, sent);
}

Result<void> note_sent(const Contact& contact, const OperationId& id, const JournalSent& sent)
{
    if (entry_of(contact, id) == nullptr) return {};
    return contact.settings.journal->sent(id, sent);
}

Result<void> note_receipt(const Contact& contact, const OperationId& id, const Operation& operation,
                          const Receipt& receipt)
{
    if (entry_of(contact, id) == nullptr) return {};
    return contact.settings.journal->executed(id, operation, receipt);
}

void note_end(const Contact& contact, const OperationId& id, const Outcome& outcome)
{
    const auto* entry = entry_of(contact, id);
    if (entry == nullptr) return;
    if (const auto* applied = std::get_if<Applied>(&outcome)) {
        if (!note_receipt(contact, id, applied->operation, applied->receipt)) return;
        if (applied->settlement && applied->settlement->settled && entry->is_open())
            (void)contact.settings.journal->acknowledged(id);
    } else if (const auto* refused = std::get_if<NotApplied>(&outcome)) {
        // A conflict says that the id stands for another operation, which is not ended by that. The
        // second half of a transfer is not given up while its value is on the way.
        if (refused->reason.code != Errc::conflict && entry->is_open() && !entry->receipt &&
            !entry->intent.after)
            (void)contact.settings.journal->not_applied(id);
    }
}

}  // namespace tallycard::contact
