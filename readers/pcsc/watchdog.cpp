// SPDX-License-Identifier: Apache-2.0
#include "watchdog.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace tallycard::pcsc {

namespace {

constexpr auto never = Watchdog::Clock::time_point::max();

// Until `descriptor` is readable, or it is `end`; a signal ends it, too.
void nap(int descriptor, Watchdog::Clock::time_point end)
{
    pollfd item{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (end == never) {
        (void)poll(&item, 1, -1);
    } else {
        using std::chrono::nanoseconds;
        const auto left =
            std::max(nanoseconds(0), nanoseconds(end - Watchdog::Clock::now())).count();
        const timespec timeout{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
        (void)ppoll(&item, 1, &timeout, nullptr);
    }
    eventfd_t count = 0;
    (void)eventfd_read(descriptor, &count);
}

}  // namespace

Watchdog::Watchdog(std::function<void()> bite)
    : bite_(std::move(bite)), alarm_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), owner_(getpid())
{
}

Watchdog::~Watchdog()
{
    if (owner_ != getpid()) {
        if (thread_.joinable()) thread_.detach();
    } else if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            ends_ = true;
        }
        wake();
        thread_.join();
    }
    if (alarm_ >= 0) close(alarm_);
}

Result<void> Watchdog::start()
{
    int error = EMFILE;
    if (alarm_ >= 0) {
        try {
            thread_ = std::thread([this] { run(); });
            return {};
        } catch (const std::system_error& thrown) {
            error = thrown.code().value();
        }
    }
    return Error{.code = Errc::file_rejected,
                 .detail = static_cast<std::uint32_t>(error),
                 .where = "watchdog of the card link"};
}

Result<void> Watchdog::watch(std::chrono::milliseconds longest)
{
    if (!thread_.joinable()) {
        if (const auto started = start(); !started) return started;
    }
    const auto until =
        Clock::now() + std::min<std::chrono::milliseconds>(longest, std::chrono::hours(24 * 365));
    bool late = false;
    {
        const std::lock_guard lock(mutex_);
        until_ = until;
        late = looks_at_ > until;
        if (late) looks_at_ = until;
    }
    if (late) wake();
    return {};
}

bool Watchdog::relax()
{
    const std::lock_guard lock(mutex_);
    until_ = never;
    return has_bitten_;
}

bool Watchdog::has_bitten() const
{
    const std::lock_guard lock(mutex_);
    return has_bitten_;
}

void Watchdog::wake() const
{
    (void)eventfd_write(alarm_, 1);
}

// It looks when the earliest deadline that it was told of has come, and finds that call over most
// of the time, and perhaps a later one running.
void Watchdog::run()
{
    std::unique_lock lock(mutex_);
    while (!ends_) {
        if (until_ <= Clock::now() && !has_bitten_) {
            has_bitten_ = true;
            bite_();
        }
        looks_at_ = has_bitten_ ? never : until_;
        const auto next = looks_at_;
        lock.unlock();
        nap(alarm_, next);
        lock.lock();
    }
}

}  // namespace tallycard::pcsc
