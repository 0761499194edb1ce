// SPDX-License-Identifier: Apache-2.0
#include "loopback_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tallycard::loopback {

namespace {

constexpr std::chrono::milliseconds longest_deadline = std::chrono::hours(24 * 365);

Error card_shared()
{
    const auto ourselves = static_cast<std::uint32_t>(getpid());
    return {.code = Errc::card_shared, .holder = ourselves, .where = "loopback"};
}

}  // namespace

Link::Link(std::shared_ptr<Slot> slot, Sharing sharing) : slot_(std::move(slot))
{
    ++slot_->links;
    slot_->exclusive = sharing == Sharing::exclusive;
}

Link::~Link()
{
    if (slot_->holder == this) slot_->holder = nullptr;
    --slot_->links;
    slot_->exclusive = false;
}

Result<void> Link::begin()
{
    if (held_by_another()) return card_shared();
    slot_->holder = this;
    return {};
}

Result<void> Link::end()
{
    if (slot_->holder == this) slot_->holder = nullptr;
    return {};
}

// The card wants room for its longest answer, whatever the caller has left.
Result<std::size_t> Link::transmit(std::span<const std::uint8_t> command,
                                   std::span<std::uint8_t> answer)
{
    if (held_by_another()) return card_shared();
    std::array<std::uint8_t, VirtualCard::max_answer> buffer;
    const auto size = slot_->card->transmit(command, buffer);
    if (size > answer.size())
        return Error{.code = Errc::link_failed, .effect = Effect::unknown, .where = "loopback"};
    std::ranges::copy(std::span(buffer).first(size), answer.begin());
    return size;
}

Result<void> Link::reconnect()
{
    if (held_by_another()) return card_shared();
    slot_->card->reset();
    return {};
}

LoopbackReader::LoopbackReader(std::shared_ptr<Slot> slot) : slot_(std::move(slot))
{
    if (slot_->links == 0) slot_->card->power_on();
}

bool LoopbackReader::take_cancel()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(cancelled_, false);
}

Result<Atr> LoopbackReader::wait_for_card(std::chrono::milliseconds)
{
    if (take_cancel()) return Error{.code = Errc::cancelled, .where = "loopback"};
    return slot_->card->atr();
}

Result<void> LoopbackReader::wait_for_removal(std::chrono::milliseconds deadline)
{
    std::unique_lock lock(mutex_);
    const auto longest = std::min(deadline, longest_deadline);
    changed_.wait_for(lock, longest, [this] { return cancelled_; });
    const bool cancelled = std::exchange(cancelled_, false);
    return Error{.code = cancelled ? Errc::cancelled : Errc::timed_out, .where = "loopback"};
}

void LoopbackReader::cancel() noexcept
{
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
}

Result<std::unique_ptr<CardLink>> LoopbackReader::connect(Sharing sharing)
{
    const bool refused = slot_->exclusive || (sharing == Sharing::exclusive && slot_->links > 0);
    if (refused) return card_shared();
    return std::unique_ptr<CardLink>(std::make_unique<Link>(slot_, sharing));
}

}  // namespace tallycard::loopback
