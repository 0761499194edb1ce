// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

#include <tallycard/result.hpp>

namespace tallycard::pcsc {

// Ends calls that do not return by themselves: PC/SC has none with a deadline but one. A thread of
// its own calls `bite`, once and for good, when a call is still running at its deadline.
//
// A call costs no system call as long as the thread is going to look in time anyway, and no
// allocation ever. One caller at a time. In a forked child it does nothing.
class Watchdog {
public:
    using Clock = std::chrono::steady_clock;

    explicit Watchdog(std::function<void()> bite);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog();

    // Before a call, and after it. Errc::file_rejected when the system gives no thread.
    Result<void> watch(std::chrono::milliseconds longest);
    // Whether it has bitten, in this call or before.
    bool relax();
    bool has_bitten() const;

private:
    Result<void> start();
    void run();
    void wake() const;

    std::function<void()> bite_;
    int alarm_;  // an eventfd: look again
    pid_t owner_;
    mutable std::mutex mutex_;
    Clock::time_point until_ = Clock::time_point::max();  // max: no call is running
    Clock::time_point looks_at_ = Clock::time_point::max();
    bool has_bitten_ = false;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace tallycard::pcsc
