// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tallycard::test {

// Sets the clock of this process, for as long as it lives: what clocks for intervals show stays.
class MovedClock {
public:
    MovedClock() = default;
    MovedClock(const MovedClock&) = delete;
    MovedClock& operator=(const MovedClock&) = delete;
    ~MovedClock() { set(0); }
    void set(long seconds_ahead);
};

}  // namespace tallycard::test
