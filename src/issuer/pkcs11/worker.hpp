// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include <sys/types.h>

#include <tallycard/result.hpp>

namespace tallycard::pkcs11 {

// A thread that does one task after the other for callers who do not wait for ever: a call into a
// module cannot be cancelled. Thread-safe.
class Worker {
public:
    Worker() = default;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    // Waits `patience` for the task that is running; a thread that is stuck in one is left behind.
    ~Worker();
    // Before the first task. Errc::file_rejected when there is no thread to be had.
    Result<void> start();

    static constexpr std::chrono::milliseconds patience{2000};

    // Whether the task was done within `deadline`. One that was not is done later, or never: it has
    // to own all that it touches.
    bool run(std::function<void()> task, std::chrono::milliseconds deadline);

    // Whether this is another process than the one that made it: the thread is not in it.
    bool is_forked() const;

private:
    struct State;
    static void work(const std::shared_ptr<State>& state);

    pid_t process_ = 0;
    std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace tallycard::pkcs11
