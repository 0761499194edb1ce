// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "operation.hpp"

namespace tallycard::contact {

// How a payment ended that the card was told, by the log of that card, which is in the reader. In
// doubt where the log does not reach back any more. Requires entry.sent.
Outcome look_for_payment(const Contact& contact, const JournalEntry& entry);

}  // namespace tallycard::contact
