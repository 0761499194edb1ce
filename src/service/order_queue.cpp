// SPDX-License-Identifier: Apache-2.0
#include "order_queue.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace tallycard::service {
namespace {

constexpr std::size_t most_at_once = 512;

OrderAnswer failed(const Order& order, const Error& error)
{
    if (std::holds_alternative<Submission>(order)) return Result<Settlement>(error);
    return Result<OperationStatus>(error);
}

bool has_settled(const OrderAnswer& answer)
{
    const auto* settlement = std::get_if<Result<Settlement>>(&answer);
    return settlement != nullptr && settlement->has_value();
}

}  // namespace

OrderQueue::OrderQueue(Platform& platform, std::size_t most_waiting)
    : platform_(&platform), most_waiting_(most_waiting), worker_([this] { work(); })
{
}

OrderQueue::~OrderQueue()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    job_.notify_one();
    worker_.join();
}

Result<Settlement> OrderQueue::settle(const Submission& submission)
{
    return answer_to<Result<Settlement>>(submission);
}

Result<OperationStatus> OrderQueue::authorise(const OperationRequest& request)
{
    return answer_to<Result<OperationStatus>>(request);
}

Result<OperationStatus> OrderQueue::authorise_transfer(const TransferRequest& request)
{
    return answer_to<Result<OperationStatus>>(request);
}

template <class Answer>
Answer OrderQueue::answer_to(const Order& order)
{
    const auto job = std::make_shared<Job>(order);
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= most_waiting_) {
            ++counts_.refused;
            return Error{.code = Errc::overloaded, .where = "queue"};
        }
        waiting_.push_back(job);
    }
    job_.notify_one();
    return std::get<Answer>(job->wait());
}

// Nobody is woken to wait for a lock: with many connections that would be half of all changes of
// thread.
void OrderQueue::Job::end(const OrderAnswer& how)
{
    {
        const std::lock_guard lock(mutex_);
        answer_ = how;
    }
    done_.notify_one();
}

OrderAnswer OrderQueue::Job::wait()
{
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return answer_.has_value(); });
    return *answer_;
}

OrderQueue::Counts OrderQueue::counts() const
{
    const std::lock_guard lock(mutex_);
    auto counts = counts_;
    counts.waiting = waiting_.size();
    return counts;
}

void OrderQueue::work()
{
    std::unique_lock lock(mutex_);
    for (;;) {
        job_.wait(lock, [&] { return !waiting_.empty() || stopping_; });
        if (waiting_.empty()) return;
        Jobs jobs;
        while (!waiting_.empty() && jobs.size() < most_at_once) {
            jobs.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
        }
        lock.unlock();
        do_all(jobs);
        lock.lock();
    }
}

// An error of the whole is one of the store; where nothing has happened, each is tried alone, so
// that one card whose rows are damaged does not hold up all the others.
void OrderQueue::do_all(const Jobs& jobs)
{
    std::vector<Order> orders;
    orders.reserve(jobs.size());
    for (const auto& job : jobs) orders.push_back(job->order);
    auto done = platform_->do_all(orders);
    if (!done) {
        const bool alone = jobs.size() > 1 && done.error().effect == Effect::none;
        std::vector<OrderAnswer> answers;
        for (const auto& order : orders) {
            auto one = alone ? platform_->do_all(std::span(&order, 1)) : done.error();
            answers.push_back(one ? one->front() : failed(order, one.error()));
        }
        done = std::move(answers);
    }
    const auto settled = std::ranges::count_if(*done, has_settled);
    {
        const std::lock_guard lock(mutex_);
        ++counts_.batches;
        counts_.settled += static_cast<std::uint64_t>(settled);
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) jobs[i]->end((*done)[i]);
}

}  // namespace tallycard::service
