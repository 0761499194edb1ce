// SPDX-License-Identifier: Apache-2.0
#include "gap_closer.hpp"

#include <utility>

namespace tallycard::service {

GapCloser::GapCloser(Platform& platform, std::chrono::milliseconds every, EventLog& log)
    : platform_(&platform), every_(every), log_(&log), thread_([this] { run(); })
{
}

GapCloser::~GapCloser()
{
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

Result<std::size_t> GapCloser::close()
{
    const auto made = platform_->close_gaps();
    if (!made) return made;
    const std::lock_guard lock(mutex_);
    made_ += *made;
    return made;
}

std::uint64_t GapCloser::made() const
{
    const std::lock_guard lock(mutex_);
    return made_;
}

void GapCloser::run()
{
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, every_, [this] { return ends_; })) {
        lock.unlock();
        close_and_tell();
        lock.lock();
    }
}

// An error once, and not each time.
void GapCloser::close_and_tell()
{
    const auto made = close();
    if (made && *made > 0) log_->write("gaps made", {{"count", *made}});
    auto message = made ? std::string() : made.error().message();
    if (!message.empty() && message != last_error_)
        log_->write("gaps not made", {{"reason", message}});
    last_error_ = std::move(message);
}

}  // namespace tallycard::service
