// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>

namespace tallycard::service {

// What many connections have signed and settled, done together: one worker takes all that wait, and
// one durable write pays for them. Each has an answer of its own, when it is durable. Thread-safe.
class OrderQueue {
public:
    OrderQueue(Platform& platform, std::size_t most_waiting);
    OrderQueue(const OrderQueue&) = delete;
    OrderQueue& operator=(const OrderQueue&) = delete;
    ~OrderQueue();  // does what waits

    // As Platform does. Errc::overloaded when too many wait: it was not taken.
    Result<Settlement> settle(const Submission& submission);
    Result<OperationStatus> authorise(const OperationRequest& request);
    Result<OperationStatus> authorise_transfer(const TransferRequest& request);

    struct Counts {
        std::uint64_t settled = 0, batches = 0, refused = 0;
        std::size_t waiting = 0;
    };
    Counts counts() const;

private:
    class Job {
    public:
        explicit Job(const Order& the_order) : order(the_order) {}
        void end(const OrderAnswer& how);
        OrderAnswer wait();

        const Order order;

    private:
        std::mutex mutex_;
        std::condition_variable done_;
        std::optional<OrderAnswer> answer_;
    };
    using Jobs = std::vector<std::shared_ptr<Job>>;  // who waits and who works hold each
    template <class Answer>
    Answer answer_to(const Order& order);
    void work();
    void do_all(const Jobs& jobs);

    Platform* platform_;
    std::size_t most_waiting_;
    mutable std::mutex mutex_;
    std::condition_variable job_;
    std::deque<std::shared_ptr<Job>> waiting_;
    Counts counts_;
    bool stopping_ = false;
    std::thread worker_;
};

}  // namespace tallycard::service
