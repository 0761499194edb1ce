// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <tallycard/export.hpp>
#include <tallycard/fault_plan.hpp>
#include <tallycard/reader.hpp>

namespace tallycard {

// The readers of `inner`, which fail as planned: to test a program against torn cards and bad
// links. All else passes: transactions, PIN pads, identities, events.
//
// Commands are counted over all readers and links of this driver, as they are on the wire: under
// T=0 a GET RESPONSE is one. A removed card and an unplugged reader are away from readers, links,
// list() and monitors alike. Threads: as `inner`.
//
// A link that was dropped or mute stays failed: connect again. After a reset, or when the card is
// back, reconnect() makes a link usable.
TALLYCARD_EXPORT std::unique_ptr<ReaderDriver> open_faulty(std::unique_ptr<ReaderDriver> inner,
                                                           const FaultPlan& plan);

}  // namespace tallycard
