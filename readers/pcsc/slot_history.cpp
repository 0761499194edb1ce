// SPDX-License-Identifier: Apache-2.0
#include "slot_history.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace tallycard::pcsc {

namespace {

// The counter has 16 bits and wraps; a step of more than half of them is one backwards.
constexpr unsigned longest_step = 0x7FFF;

bool fits(unsigned step, bool differs)
{
    return step <= longest_step && step % 2 == (differs ? 1U : 0U);
}

// The number of changes that a torn look stands for: as the counter has it, rounded down to what
// fits the presence. A card that is still there, but was counted, is not the same insertion.
unsigned plausible(unsigned step, bool differs, bool has_card)
{
    if (fits(step, differs)) return step;
    if (step > longest_step) return differs ? 1 : has_card ? 2 : 0;
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

unsigned SlotHistory::take(const Slot& now, Clock::time_point at)
{
    if (now.is_unavailable()) {
        torn_.reset();
        may_lag_until_ = Clock::time_point::max();  // pcscd counts the recovery
        return std::exchange(has_card_, false) ? 1 : 0;
    }
    const bool differs = now.has_card() != has_card_;
    const bool is_first = !counter_;
    unsigned step =
        is_first ? (differs ? 1 : 0) : static_cast<std::uint16_t>(now.counter() - *counter_);
    const bool lagged =
        at < may_lag_until_ && !fits(step, differs) && step != 0 && fits(step - 1, differs);
    if (lagged) --step;
    if (fits(step, differs) && (step == 0 || !now.lacks_atr())) {
        if (lagged || (step != 0 && !is_first)) may_lag_until_ = Clock::time_point::min();
        if (is_first) may_lag_until_ = at + longest_lag;
        believe(now);
        return step;
    }
    if (!stands(now, at)) return 0;
    may_lag_until_ = at + longest_lag;
    believe(now);
    return plausible(step, differs, now.has_card());
}

// True when a torn look has been the same for long enough.
bool SlotHistory::stands(const Slot& now, Clock::time_point at)
{
    const Seen seen{now.has_card(), now.lacks_atr(), now.counter()};
    if (torn_ && torn_->seen == seen) return at - torn_->since >= longest_tear;
    torn_ = Torn{.seen = seen, .since = at, .looks = torn_ ? torn_->looks + 1 : 1};
    return torn_->looks == most_torn_looks;
}

void SlotHistory::believe(const Slot& now)
{
    counter_ = now.counter();
    has_card_ = now.has_card();
    torn_.reset();
}

}  // namespace tallycard::pcsc
