// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace testing {

// A process that runs `body` and says whether it returned true.
class Child {
public:
    template <class Body>
    explicit Child(Body body) : process_(fork())
    {
        if (process_ == 0) _exit(outcome_of(body));
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child()
    {
        if (process_ > 0) kill(process_, SIGKILL);
        (void)succeeded();
    }

    pid_t process() const { return process_; }
    bool is_running() const
    {
        siginfo_t found{};
        const auto id = static_cast<id_t>(process_);
        return process_ > 0 && waitid(P_PID, id, &found, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               found.si_pid == 0;
    }
    // Ends it at once. False when it had ended by itself.
    bool kill_now()
    {
        if (process_ <= 0) return false;
        kill(process_, SIGKILL);
        (void)succeeded();
        return was_killed_;
    }
    // Of one that has ended.
    bool was_killed() const { return was_killed_; }
    // Waits for its end.
    bool succeeded()
    {
        if (process_ <= 0) return succeeded_;
        int status = 0;
        waitpid(std::exchange(process_, 0), &status, 0);
        was_killed_ = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        return succeeded_ = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

private:
    // An exception must not leave here: what the parent had open is the parent's to close.
    template <class Body>
    static int outcome_of(Body& body)
    {
        try {
            return body() ? 0 : 1;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "process %d: %s\n", getpid(), error.what());
        }
        return 1;
    }

    pid_t process_;
    bool succeeded_ = false, was_killed_ = false;
};

template <class Body>
bool in_child(Body body)
{
    return Child(std::move(body)).succeeded();
}

// One process tells another that it has come so far.
class Signal {
public:
    Signal()
    {
        if (pipe(ends_.data()) != 0) std::abort();
    }
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    ~Signal()
    {
        for (const int end : ends_) close(end);
    }
    void give() const
    {
        const char byte = 0;
        if (write(ends_[1], &byte, 1) != 1) std::abort();
    }
    void wait() const
    {
        char byte = 0;
        if (read(ends_[0], &byte, 1) != 1) std::abort();
    }

private:
    std::array<int, 2> ends_{};
};

}  // namespace testing
