// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>

#include "event_log.hpp"

namespace tallycard::service {

// Makes gaps where the time for it has come, from time to time, in a thread of its own. Ends it
// when destroyed; a write that is under way ends first. Platform and log must outlive it.
// Thread-safe.
class GapCloser {
public:
    // The first time when `every` has passed.
    GapCloser(Platform& platform, std::chrono::milliseconds every, EventLog& log);
    GapCloser(const GapCloser&) = delete;
    GapCloser& operator=(const GapCloser&) = delete;
    ~GapCloser();

    // Now; how many.
    Result<std::size_t> close();
    std::uint64_t made() const;  // since the start

private:
    void run();
    void close_and_tell();

    Platform* platform_;
    std::chrono::milliseconds every_;
    EventLog* log_;
    std::string last_error_;  // what the log has already

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::uint64_t made_ = 0;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace tallycard::service
