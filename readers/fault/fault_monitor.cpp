// SPDX-License-Identifier: Apache-2.0
#include "fault_monitor.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tallycard::fault {

namespace {

using Kind = ReaderEvent::Kind;
using std::chrono::milliseconds;

constexpr milliseconds longest_poll = std::chrono::hours(1);

}  // namespace

Monitor::Monitor(ReaderEventCallback callback, std::shared_ptr<Stage> stage)
    : QueuedMonitor(std::move(callback)),
      stage_(std::move(stage)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    stage_->add(*this);
}

Monitor::~Monitor()
{
    stage_->remove(*this);
    finish();
    if (wake_ >= 0) close(wake_);
}

Result<void> Monitor::start(std::unique_ptr<ReaderMonitor> inner)
{
    if (wake_ < 0) return Error{.code = Errc::file_rejected, .detail = EMFILE, .where = "eventfd"};
    inner_ = std::move(inner);
    return QueuedMonitor::start([this] { run(); });
}

void Monitor::interrupt() noexcept
{
    (void)eventfd_write(wake_, 1);
}

void Monitor::pulled(const std::string& reader, Away what)
{
    {
        const std::lock_guard lock(pulls_mutex_);
        pulls_.push_back({reader, what});
    }
    (void)eventfd_write(wake_, 1);
}

std::optional<Monitor::Pull> Monitor::next_pull()
{
    const std::lock_guard lock(pulls_mutex_);
    if (pulls_.empty()) return std::nullopt;
    auto pull = std::move(pulls_.front());
    pulls_.pop_front();
    return pull;
}

// Until something happens below, is pulled, or is due to come back.
void Monitor::await() const
{
    auto timeout = longest_poll;
    if (const auto back = stage_->next_return()) {
        const auto left = std::chrono::ceil<milliseconds>(*back - Clock::now());
        timeout = std::clamp(left, milliseconds(0), longest_poll);
    }
    std::array<pollfd, 2> items = {pollfd{wake_, POLLIN, 0},
                                   pollfd{inner_->descriptor(), POLLIN, 0}};
    (void)poll(items.data(), items.size(), static_cast<int>(timeout.count()));
    eventfd_t count = 0;
    (void)eventfd_read(wake_, &count);
}

void Monitor::run()
{
    while (!stopped()) {
        while (const auto event = inner_->next()) take(*event);
        while (const auto pull = next_pull()) tell(pull->reader, pull->what);
        for (const auto& [reader, seen] : seen_) tell(reader, stage_->away(reader));
        await();
    }
}

void Monitor::take(const ReaderEvent& event)
{
    if (event.kind == Kind::service_up || event.kind == Kind::service_down) return push(event);
    auto& seen = seen_[event.reader];
    if (event.kind == Kind::reader_arrived || event.kind == Kind::reader_left)
        seen.is_here = event.kind == Kind::reader_arrived;
    seen.has_card = event.kind == Kind::card_in;
    if (seen.has_card) seen.atr = event.atr;
    tell(event.reader, stage_->away(event.reader));
}

// Reports what differs from what was told.
void Monitor::tell(const std::string& reader, Away away)
{
    auto& seen = seen_[reader];
    const bool here = seen.is_here && away != Away::reader;
    const bool card = here && seen.has_card && away == Away::nothing;
    const auto report = [&](Kind kind, const Atr& atr = {}) {
        push({.kind = kind, .reader = reader, .atr = atr});
    };
    if (seen.told_card && !card) report(Kind::card_out);
    if (seen.told_here && !here) report(Kind::reader_left);
    if (!seen.told_here && here) report(Kind::reader_arrived);
    if (!seen.told_card && card) report(Kind::card_in, seen.atr);
    seen.told_card = card;
    seen.told_here = here;
}

}  // namespace tallycard::fault
