// SPDX-License-Identifier: Apache-2.0
// The program's own clock_gettime() and time() come before those of the C library, for the
// libraries that it is linked with, too.
#include "moved_clock.hpp"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

std::atomic<long> ahead{0};

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept
{
    const auto failed = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
    if (failed == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += ahead;
    return failed;
}

time_t time(time_t* result) noexcept
{
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != nullptr) *result = now.tv_sec;
    return now.tv_sec;
}

}  // extern "C"

namespace tallycard::test {

void MovedClock::set(long seconds_ahead)
{
    ahead = seconds_ahead;
}

}  // namespace tallycard::test
