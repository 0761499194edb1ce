// SPDX-License-Identifier: Apache-2.0
#include "queued_monitor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

namespace tallycard {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds longest_poll = std::chrono::hours(1);

// Until `descriptor` is readable or it is `end`.
void await(int descriptor, Clock::time_point end)
{
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
        if (left <= milliseconds(0)) return;
        pollfd item{.fd = descriptor, .events = POLLIN, .revents = 0};
        const auto timeout = static_cast<int>(std::min(left, longest_poll).count());
        if (poll(&item, 1, timeout) > 0) return;
    }
}

Clock::time_point after(milliseconds deadline)
{
    return Clock::now() + std::min(deadline, milliseconds(std::chrono::hours(24 * 365)));
}

}  // namespace

QueuedMonitor::QueuedMonitor(ReaderEventCallback callback)
    : callback_(std::move(callback)),
      readable_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stopping_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      owner_(getpid())
{
}

QueuedMonitor::~QueuedMonitor()
{
    if (readable_ >= 0) close(readable_);
    if (stopping_ >= 0) close(stopping_);
}

Result<void> QueuedMonitor::usable() const
{
    if (readable_ >= 0 && stopping_ >= 0) return {};
    return Error{.code = Errc::file_rejected, .detail = EMFILE, .where = "eventfd"};
}

Result<void> QueuedMonitor::start(std::function<void()> body)
{
    if (const auto ready = usable(); !ready) return ready;
    try {
        thread_ = std::thread(std::move(body));
    } catch (const std::system_error& error) {
        return Error{.code = Errc::file_rejected,
                     .detail = static_cast<std::uint32_t>(error.code().value()),
                     .where = "thread"};
    }
    return {};
}

void QueuedMonitor::finish() noexcept
{
    if (!thread_.joinable()) return;
    if (owner_ != getpid()) {
        thread_.detach();
        return;
    }
    stop();
    thread_.join();
}

void QueuedMonitor::push(ReaderEvent event)
{
    if (callback_) {
        if (!stopped()) callback_(event);
        return;
    }
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    events_.push_back(std::move(event));
    (void)eventfd_write(readable_, 1);
}

std::optional<ReaderEvent> QueuedMonitor::next()
{
    const std::lock_guard lock(mutex_);
    if (events_.empty()) return std::nullopt;
    auto event = std::move(events_.front());
    events_.pop_front();
    eventfd_t count = 0;
    if (events_.empty() && !stopped_) (void)eventfd_read(readable_, &count);
    return event;
}

Result<ReaderEvent> QueuedMonitor::wait(milliseconds deadline)
{
    const auto end = after(deadline);
    for (;;) {
        await(readable_, end);
        // Another thread that waits may have been faster.
        if (auto event = next()) return *std::move(event);
        if (stopped()) return Error{.code = Errc::cancelled, .where = "ReaderMonitor"};
        if (Clock::now() >= end) return Error{.code = Errc::timed_out, .where = "ReaderMonitor"};
    }
}

void QueuedMonitor::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        (void)eventfd_write(readable_, 1);
        (void)eventfd_write(stopping_, 1);
    }
    interrupt();
}

bool QueuedMonitor::stopped() const
{
    const std::lock_guard lock(mutex_);
    return stopped_;
}

bool QueuedMonitor::sleep(milliseconds longest) const
{
    await(stopping_, after(longest));
    return !stopped();
}

}  // namespace tallycard
