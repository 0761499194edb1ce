// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>

namespace tallycard::service {

// A thread for each connection, up to a number, started when they are needed; and a few more that
// turn away whoever comes then. When these are busy, too, enqueue() waits, and the kernel's queue
// fills: that is the last bound.
class ConnectionThreads final : public httplib::TaskQueue {
public:
    // `on_shutdown` asks the connections to end: shutdown() waits for them.
    ConnectionThreads(std::size_t serving, std::size_t refusing, std::function<void()> on_shutdown)
        : on_shutdown_(std::move(on_shutdown)), serving_(serving), refusing_(refusing)
    {
    }

    void enqueue(std::function<void()> connection) override;
    void shutdown() override;
    // Whether the calling thread is one that turns away.
    static bool is_refusing();

private:
    struct Pool {
        explicit Pool(std::size_t number) : most(number) {}
        std::size_t most;
        std::vector<std::thread> threads;
        std::size_t free = 0;                    // waiting for a job
        std::deque<std::function<void()>> jobs;  // each has a free thread
        std::condition_variable job;
    };
    bool hand_over(Pool& pool, std::function<void()>& connection);
    void work(Pool& pool);

    std::function<void()> on_shutdown_;
    std::mutex mutex_;
    std::condition_variable room_;
    Pool serving_, refusing_;
    bool stopping_ = false;
};

}  // namespace tallycard::service
