// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <winscard.h>

#include <chrono>
#include <cstdint>
#include <optional>

#include <tallycard/reader_monitor.hpp>

namespace tallycard::pcsc {

// One look at a reader, as SCardGetStatusChange fills it in.
struct Slot {
    DWORD state = SCARD_STATE_UNAWARE;  // as the next call takes it
    Atr atr;

    static Slot of(const SCARD_READERSTATE& state);

    // The service does not have this reader.
    bool is_unknown() const { return (state & (SCARD_STATE_UNKNOWN | SCARD_STATE_IGNORE)) != 0; }
    // The driver cannot say whether there is a card. Such a look has no counter.
    bool is_unavailable() const { return (state & SCARD_STATE_UNAVAILABLE) != 0; }
    bool has_card() const { return (state & SCARD_STATE_PRESENT) != 0; }
    bool is_mute() const { return (state & SCARD_STATE_MUTE) != 0; }
    bool lacks_atr() const { return has_card() && !is_mute() && atr.size() == 0; }
    // Insertions and removals that the service counted. Two quick ones change nothing else.
    std::uint16_t counter() const { return static_cast<std::uint16_t>(state >> 16); }
};

// Follows a reader from one look to the next, and counts how often its card came or went between.
//
// pcscd writes presence, ATR and counter one after the other, and readers of all three take no
// lock; up to pcsc-lite 1.9 another thread of this process may overwrite them while they are read.
// So a look may be torn: a counter that lags behind the presence or runs ahead of it, an older
// state, a card without its ATR. A torn look is not believed until it has stood for `longest_tear`.
// Nor does the counter say that a reader was replaced: it wraps, it also counts recovery of a
// driver that had failed, and it goes back to zero, or not, when a reader is plugged in again.
class SlotHistory {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds longest_tear{30};

    explicit SlotHistory(const Slot& first);

    // How often the card came or went since the last look that was believed; 0 for a torn one.
    unsigned take(const Slot& now, Clock::time_point at);
    // As of the last look that was believed.
    bool has_card() const { return has_card_; }
    // The last look was torn: look again soon.
    bool is_torn() const { return torn_since_.has_value(); }

private:
    unsigned believe(const Slot& now, unsigned changes, bool may_lag);

    std::uint16_t counter_;
    bool has_card_;
    bool may_lag_ = true;  // the counter of the last look may still have to follow its presence
    std::optional<Clock::time_point> torn_since_;
};

}  // namespace tallycard::pcsc
