// SPDX-License-Identifier: Apache-2.0
#include "connection_threads.hpp"

#include <utility>

namespace tallycard::service {
namespace {

thread_local bool refusing = false;

}  // namespace

bool ConnectionThreads::is_refusing()
{
    return refusing;
}

bool ConnectionThreads::hand_over(Pool& pool, std::function<void()>& connection)
{
    if (pool.free > pool.jobs.size()) {
        pool.jobs.push_back(std::move(connection));
        pool.job.notify_one();
        return true;
    }
    if (pool.threads.size() == pool.most) return false;
    pool.jobs.push_back(std::move(connection));
    ++pool.free;  // the new one, which takes it
    pool.threads.emplace_back([this, &pool] { work(pool); });
    return true;
}

void ConnectionThreads::enqueue(std::function<void()> connection)
{
    std::unique_lock lock(mutex_);
    for (;;) {
        if (hand_over(serving_, connection) || hand_over(refusing_, connection)) return;
        room_.wait(lock);
    }
}

void ConnectionThreads::work(Pool& pool)
{
    refusing = &pool == &refusing_;
    std::unique_lock lock(mutex_);
    for (;;) {
        pool.job.wait(lock, [&] { return !pool.jobs.empty() || stopping_; });
        if (pool.jobs.empty()) return;
        const auto connection = std::move(pool.jobs.front());
        pool.jobs.pop_front();
        --pool.free;
        lock.unlock();
        connection();
        lock.lock();
        ++pool.free;
        room_.notify_one();
    }
}

void ConnectionThreads::shutdown()
{
    on_shutdown_();
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        serving_.job.notify_all();
        refusing_.job.notify_all();
    }
    for (auto* pool : {&serving_, &refusing_})
        for (auto& thread : pool->threads) thread.join();
}

}  // namespace tallycard::service
