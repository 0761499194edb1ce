// SPDX-License-Identifier: Apache-2.0
#include "worker.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>

#include <unistd.h>

namespace tallycard::pkcs11 {
namespace {

struct Task {
    std::function<void()> run;
    bool done = false, abandoned = false;
};

}  // namespace

struct Worker::State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::shared_ptr<Task>> tasks;
    bool stop = false, ended = false;
};

Result<void> Worker::start()
{
    process_ = ::getpid();
    state_ = std::make_shared<State>();
    try {
        thread_ = std::thread([state = state_] { work(state); });
    } catch (const std::system_error& error) {
        return Error{.code = Errc::file_rejected,
                     .detail = static_cast<std::uint32_t>(error.code().value()),
                     .where = "thread of the token"};
    }
    return {};
}

Worker::~Worker()
{
    if (!thread_.joinable()) return;
    if (is_forked()) {  // what the thread held in the parent stays held
        thread_.detach();
        return;
    }
    bool ended = false;
    {
        std::unique_lock lock(state_->mutex);
        state_->stop = true;
        state_->changed.notify_all();
        ended = state_->changed.wait_for(lock, patience, [&] { return state_->ended; });
    }
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

bool Worker::is_forked() const
{
    return process_ != ::getpid();
}

bool Worker::run(std::function<void()> task, std::chrono::milliseconds deadline)
{
    auto asked = std::make_shared<Task>(Task{.run = std::move(task)});
    std::unique_lock lock(state_->mutex);
    state_->tasks.push_back(asked);
    state_->changed.notify_all();
    const bool done = state_->changed.wait_for(lock, deadline, [&] { return asked->done; });
    asked->abandoned = !done;
    return done;
}

void Worker::work(const std::shared_ptr<State>& state)
{
    std::unique_lock lock(state->mutex);
    for (;;) {
        state->changed.wait(lock, [&] { return state->stop || !state->tasks.empty(); });
        if (state->stop) break;
        const auto task = state->tasks.front();
        state->tasks.pop_front();
        if (task->abandoned) continue;
        lock.unlock();
        task->run();
        task->run = nullptr;  // what it owns goes in this thread
        lock.lock();
        task->done = true;
        state->changed.notify_all();
    }
    state->tasks.clear();
    state->ended = true;
    state->changed.notify_all();
}

}  // namespace tallycard::pkcs11
