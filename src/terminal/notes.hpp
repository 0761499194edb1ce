// SPDX-License-Identifier: Apache-2.0
// What a business operation writes into the terminal's journal, where it has one.
#pragma once

#include "operation.hpp"

namespace tallycard::contact {

JournalIntent journal_intent(const OperationId& id, const CardId& card_id, const Intent& intent);

// Each does nothing without a journal; all but the first, too, for an id that it does not know.
Result<void> note_intent(const Contact& contact, const JournalIntent& intent,
                         const std::optional<JournalSent>& sent = std::nullopt);
Result<void> note_sent(const Contact& contact, const OperationId& id, const JournalSent& sent);
Result<void> note_receipt(const Contact& contact, const OperationId& id, const Operation& operation,
                          const Receipt& receipt);
// How the operation ended, unless it is in doubt. A line that is missing is no harm: drain() asks
// once more.
void note_end(const Contact& contact, const OperationId& id, const Outcome& outcome);

}  // namespace tallycard::contact
