// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>

namespace tallycard::service {

// Receipts of many connections, settled together: one worker takes all that wait, and one durable
// write pays for them. Thread-safe.
class SettlementQueue {
public:
    SettlementQueue(Platform& platform, std::size_t most_waiting);
    SettlementQueue(const SettlementQueue&) = delete;
    SettlementQueue& operator=(const SettlementQueue&) = delete;
    ~SettlementQueue();  // settles what waits

    // When it is durable. Errc::overloaded when too many wait: it was not taken.
    Result<Settlement> settle(const Submission& submission);

    struct Counts {
        std::uint64_t settled = 0, batches = 0, refused = 0;
        std::size_t waiting = 0;
    };
    Counts counts() const;

private:
    struct Job {
        Submission submission;
        std::optional<Result<Settlement>> answer;
    };
    void work();
    void settle_all(const std::vector<Job*>& jobs);

    Platform* platform_;
    std::size_t most_waiting_;
    mutable std::mutex mutex_;
    std::condition_variable job_, done_;
    std::deque<Job*> waiting_;
    Counts counts_;
    bool stopping_ = false;
    std::thread worker_;
};

}  // namespace tallycard::service
