// SPDX-License-Identifier: Apache-2.0
#include "slot_history.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace tallycard::pcsc {

namespace {

// The counter has 16 bits and wraps; a step of more than half of them is one backwards.
constexpr unsigned longest_step = 0x7FFF;

// The number of changes that a torn look stands for: as the counter has it, rounded down to what
// fits the presence. A card that is still there, but was counted, is not the same insertion.
unsigned plausible(unsigned step, bool differs, bool has_card)
{
    if (step > longest_step) return differs ? 1 : has_card ? 2 : 0;
    if (step % 2 == (differs ? 1U : 0U)) return step;
    if (step == 0) return 1;
    return step == 1 && has_card ? 2 : step - 1;
}

}  // namespace

Slot Slot::of(const SCARD_READERSTATE& state)
{
    const auto size = std::min<std::size_t>(state.cbAtr, Atr::capacity);
    return {.state = state.dwEventState & ~static_cast<DWORD>(SCARD_STATE_CHANGED),
            .atr = Atr(std::span(state.rgbAtr).first(size))};
}

// A card that has not said its ATR yet is the next change.
SlotHistory::SlotHistory(const Slot& first)
    : counter_(static_cast<std::uint16_t>(first.counter() - (first.lacks_atr() ? 1 : 0))),
      has_card_(first.has_card() && !first.is_unavailable() && !first.lacks_atr())
{
}

unsigned SlotHistory::take(const Slot& now, Clock::time_point at)
{
    if (now.is_unavailable()) {
        torn_since_.reset();
        may_lag_ = true;  // pcscd counts the recovery
        return std::exchange(has_card_, false) ? 1 : 0;
    }
    const bool differs = now.has_card() != has_card_;
    unsigned step = static_cast<std::uint16_t>(now.counter() - counter_);
    const auto fits = [&] { return step <= longest_step && step % 2 == (differs ? 1U : 0U); };
    const bool lagged = may_lag_ && !fits() && step != 0 && step <= longest_step;
    if (lagged) --step;
    if (fits() && (step == 0 || !now.lacks_atr()))
        return believe(now, step, may_lag_ && step == 0 && !lagged);
    if (!torn_since_) torn_since_ = at;
    if (at - *torn_since_ < longest_tear) return 0;
    return believe(now, plausible(step, differs, now.has_card()), true);
}

unsigned SlotHistory::believe(const Slot& now, unsigned changes, bool may_lag)
{
    counter_ = now.counter();
    has_card_ = now.has_card();
    may_lag_ = may_lag;
    torn_since_.reset();
    return changes;
}

}  // namespace tallycard::pcsc
