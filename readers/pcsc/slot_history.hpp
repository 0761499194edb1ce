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
    // The service is still reading the ATR, or does not power cards up by itself.
    bool lacks_atr() const { return has_card() && !is_mute() && atr.size() == 0; }
    // Insertions and removals that the service counted. Two quick ones change nothing else.
    std::uint16_t counter() const { return static_cast<std::uint16_t>(state >> 16); }
};

// Follows a reader from one look to the next, and counts how often its card came or went between.
//
// A look may be torn. pcscd writes presence, ATR and counter one after the other and sends them
// without a lock; a call that finds the card gone says so at once, and the counter follows when the
// reader is polled next; up to pcsc-lite 1.9 all threads of a process share one copy. So a counter
// may lag behind the presence or run ahead of it, a look may be older than the one before, and a
// card may lack its ATR. A torn look is not believed until it has stood for `longest_tear`.
//
// The counter says nothing about the reader itself: it wraps, it counts the recovery of a driver
// that had failed, and it may or may not restart at zero when a reader is plugged in again.
class SlotHistory {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds longest_tear{30};
    // pcscd polls a reader every 400 ms, and a driver may be slow to answer.
    static constexpr std::chrono::milliseconds longest_lag{1000};
    // Looks that are torn, each in another way, before the last one is believed.
    static constexpr int most_torn_looks = 50;

    // How often the card came or went since the last look that was believed; before the first one
    // there was no card. 0 for a torn look. Not for an unknown reader.
    unsigned take(const Slot& now, Clock::time_point at);
    // As of the last look that was believed.
    bool has_card() const { return has_card_; }
    // The last look was torn: look again soon.
    bool is_torn() const { return torn_.has_value(); }

private:
    struct Seen {
        bool has_card, lacks_atr;
        std::uint16_t counter;
        bool operator==(const Seen&) const = default;
    };
    struct Torn {
        Seen seen;
        Clock::time_point since;
        int looks;  // that were torn in a row, each in another way
    };

    bool stands(const Slot& now, Clock::time_point at);
    void believe(const Slot& now);

    std::optional<std::uint16_t> counter_;  // none before the first look that has one
    bool has_card_ = false;
    // Until then, the counter may still have to follow the presence of the last look.
    Clock::time_point may_lag_until_ = Clock::time_point::min();
    std::optional<Torn> torn_;
};

}  // namespace tallycard::pcsc
