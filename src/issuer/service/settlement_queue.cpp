// SPDX-License-Identifier: Apache-2.0
#include "settlement_queue.hpp"

#include <algorithm>
#include <utility>

namespace tallycard::service {
namespace {

constexpr std::size_t most_at_once = 512;

}  // namespace

SettlementQueue::SettlementQueue(Platform& platform, std::size_t most_waiting)
    : platform_(&platform), most_waiting_(most_waiting), worker_([this] { work(); })
{
}

SettlementQueue::~SettlementQueue()
{
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    job_.notify_one();
    worker_.join();
}

Result<Settlement> SettlementQueue::settle(const Submission& submission)
{
    Job job{.submission = submission, .answer = {}};
    std::unique_lock lock(mutex_);
    if (waiting_.size() >= most_waiting_) {
        ++counts_.refused;
        return Error{.code = Errc::overloaded, .where = "queue"};
    }
    waiting_.push_back(&job);
    job_.notify_one();
    done_.wait(lock, [&] { return job.answer.has_value(); });
    return *job.answer;
}

SettlementQueue::Counts SettlementQueue::counts() const
{
    const std::lock_guard lock(mutex_);
    auto counts = counts_;
    counts.waiting = waiting_.size();
    return counts;
}

void SettlementQueue::work()
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
        settle_all(jobs);
        lock.lock();
        done_.notify_all();
    }
}

// An error of the whole is one of the store; where nothing has happened, each is tried alone, so
// that one card whose rows are damaged does not hold up all the others.
void SettlementQueue::settle_all(const std::vector<Job*>& jobs)
{
    std::vector<Submission> submissions;
    submissions.reserve(jobs.size());
    for (const auto* job : jobs) submissions.push_back(job->submission);
    auto settled = platform_->settle_all(submissions);
    const bool alone = !settled && jobs.size() > 1 && settled.error().effect == Effect::none;
    std::vector<Result<Settlement>> answers;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (alone) {
            answers.push_back(platform_->settle(submissions[i].receipt, submissions[i].operation));
        } else if (settled) {
            answers.push_back((*settled)[i]);
        } else {
            answers.emplace_back(settled.error());
        }
    }
    const std::lock_guard lock(mutex_);
    ++counts_.batches;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (answers[i]) ++counts_.settled;
        jobs[i]->answer = answers[i];
    }
}

}  // namespace tallycard::service
