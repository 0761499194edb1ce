// SPDX-License-Identifier: Apache-2.0
#include "order_queue.hpp"

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
    Job job(order);
    std::unique_lock lock(mutex_);
    if (waiting_.size() >= most_waiting_) {
        ++counts_.refused;
        return Error{.code = Errc::overloaded, .where = "queue"};
    }
    waiting_.push_back(&job);
    job_.notify_one();
    job.done.wait(lock, [&] { return job.answer.has_value(); });
    return std::get<Answer>(*job.answer);
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
        std::vector<Job*> jobs;
        while (!waiting_.empty() && jobs.size() < most_at_once) {
            jobs.push_back(waiting_.front());
            waiting_.pop_front();
        }
        lock.unlock();
        do_all(jobs);
        lock.lock();
    }
}

// An error of the whole is one of the store; where nothing has happened, each is tried alone, so
// that one card whose rows are damaged does not hold up all the others.
void OrderQueue::do_all(const std::vector<Job*>& jobs)
{
    std::vector<Order> orders;
    orders.reserve(jobs.size());
    for (const auto* job : jobs) orders.push_back(job->order);
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
    const std::lock_guard lock(mutex_);
    ++counts_.batches;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (has_settled((*done)[i])) ++counts_.settled;
        jobs[i]->answer = (*done)[i];
        // Under the lock: whoever waits ends the job's life.
        jobs[i]->done.notify_one();
    }
}

}  // namespace tallycard::service
