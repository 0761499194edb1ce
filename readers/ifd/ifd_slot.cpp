// SPDX-License-Identifier: Apache-2.0
#include "ifd_slot.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cstdint>

namespace tallycard::ifd {

Slot::Slot(std::unique_ptr<CardSource> source)
    : source_(std::move(source)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
}

bool Slot::is_present()
{
    auto card = source_->card();
    const std::lock_guard guard(mutex_);
    const bool is_event_thread = std::this_thread::get_id() == event_thread_;
    if (!is_event_thread) seen_by_another(card);
    const bool replaced = card && announced_ && card != announced_;
    if (replaced) card.reset();
    if (is_event_thread) announced_ = card;
    return card != nullptr;
}

void Slot::wait_for_change(std::chrono::milliseconds at_most)
{
    {
        const auto card = source_->card();
        const std::lock_guard guard(mutex_);
        event_thread_ = std::this_thread::get_id();
        if (card != announced_) return;
    }
    source_->wait(at_most, wake_.number());
    eventfd_t wakes = 0;
    ::eventfd_read(wake_.number(), &wakes);
}

void Slot::stop_waiting() noexcept
{
    ::eventfd_write(wake_.number(), 1);
}

void Slot::seen_by_another(const std::shared_ptr<Card>& card)
{
    if (card != announced_) ::eventfd_write(wake_.number(), 1);
}

Result<Atr> Slot::power_on()
{
    return start(&Card::power_on);
}

Result<Atr> Slot::reset()
{
    return start(&Card::reset);
}

Result<Atr> Slot::start(Start how)
{
    const auto card = source_->card();
    {
        const std::lock_guard guard(mutex_);
        seen_by_another(card);
        powered_.reset();
    }
    if (!card) return Error{.code = Errc::no_card, .where = "slot"};
    auto atr = ((*card).*how)();
    if (!atr) return atr.error();
    const std::lock_guard guard(mutex_);
    powered_ = card;
    atr_ = *atr;
    return atr;
}

void Slot::power_off()
{
    const auto card = powered();
    if (!card) return;
    (void)card->power_off();
    const std::lock_guard guard(mutex_);
    powered_.reset();
}

Result<std::size_t> Slot::transmit(std::span<const std::uint8_t> command,
                                   std::span<std::uint8_t> answer)
{
    const auto card = powered();
    if (!card) return Error{.code = Errc::no_card, .where = "slot"};
    const auto size = card->transmit(command, answer_);
    if (!size) {
        auto error = size.error();
        const bool not_sent = error.code == Errc::card_removed && error.effect == Effect::none;
        if (not_sent) error.code = Errc::no_card;
        return error;
    }
    if (*size > answer.size())
        return Error{.code = Errc::link_failed, .effect = Effect::unknown, .where = "slot"};
    std::ranges::copy(std::span(answer_).first(*size), answer.begin());
    return size;
}

std::optional<Atr> Slot::atr() const
{
    const std::lock_guard guard(mutex_);
    if (!powered_ || powered_->is_gone()) return std::nullopt;
    return atr_;
}

std::shared_ptr<Card> Slot::powered() const
{
    const std::lock_guard guard(mutex_);
    return powered_;
}

}  // namespace tallycard::ifd
