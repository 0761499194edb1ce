// SPDX-License-Identifier: Apache-2.0
#include "vpcd_slot.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace tallycard::vpcd {

namespace {

constexpr std::chrono::milliseconds longest_deadline = std::chrono::hours(24 * 365);

Result<std::unique_ptr<Listener>> listen(const std::string& socket)
{
    if (socket.starts_with('/')) return Listener::on_unix_socket(socket);
    std::uint16_t port = 0;
    const auto* const last = socket.data() + socket.size();
    const auto [end, error] = std::from_chars(socket.data(), last, port);
    if (error != std::errc{} || end != last || socket.empty()) {
        return Error{.code = Errc::malformed,
                     .where = "vpcd socket (a port, or a path that starts with /)"};
    }
    return Listener::on_loopback(port);
}

Error shared()
{
    const auto ourselves = static_cast<std::uint32_t>(getpid());
    return {.code = Errc::card_shared, .holder = ourselves, .where = "vpcd"};
}

}  // namespace

Bell::Bell() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Bell::ring() const noexcept
{
    (void)eventfd_write(event_.number(), 1);
}

void Bell::silence() const noexcept
{
    eventfd_t count = 0;
    (void)eventfd_read(event_.number(), &count);
}

Slot::Slot(std::string name, std::unique_ptr<Listener> listener, const Deadlines& deadlines)
    : name_(std::move(name)), listener_(std::move(listener)), deadlines_(deadlines)
{
}

Result<std::shared_ptr<Slot>> Slot::open(const std::string& socket, const Deadlines& deadlines)
{
    auto listener = listen(socket);
    if (!listener) return listener.error();
    const auto port = (*listener)->port();
    auto name = "vpcd:" + (port != 0 ? std::to_string(port) : socket);
    return std::shared_ptr<Slot>(new Slot(std::move(name), *std::move(listener), deadlines));
}

// A card program that does not answer to power on is there, and mute.
Slot::View Slot::look()
{
    const std::lock_guard lock(card_mutex_);
    const auto state = listener_->update();
    const bool is_in = state.card != nullptr;
    const bool was_in = card_.channel != nullptr;
    const bool has_changed =
        std::exchange(arrivals_, state.arrivals) != state.arrivals || is_in != was_in;
    if (!state.card) {
        card_ = {};
    } else if (card_.arrival != state.arrivals) {
        card_ = {.channel = state.card, .arrival = state.arrivals, .atr = {}};
        if (const auto atr = card_.channel->power_on(deadlines_.connect); atr) card_.atr = *atr;
    }
    if (has_changed) {
        for (const auto* bell : bells_) bell->ring();
    }
    return {.card = card_, .arrivals = state.arrivals};
}

void Slot::add(const Bell& bell)
{
    const std::lock_guard lock(card_mutex_);
    bells_.push_back(&bell);
}

void Slot::remove(const Bell& bell)
{
    const std::lock_guard lock(card_mutex_);
    std::erase(bells_, &bell);
}

Result<void> Slot::take(Sharing sharing)
{
    const std::lock_guard lock(mutex_);
    if (exclusive_ || (sharing == Sharing::exclusive && links_ > 0)) return shared();
    ++links_;
    exclusive_ = sharing == Sharing::exclusive;
    return {};
}

void Slot::release(Sharing sharing, const void* link)
{
    end(link);
    const std::lock_guard lock(mutex_);
    --links_;
    if (sharing == Sharing::exclusive) exclusive_ = false;
}

Result<void> Slot::begin(const void* link)
{
    return hold(link, deadlines_.begin);
}

Result<void> Slot::hold(const void* link, std::chrono::milliseconds deadline)
{
    std::unique_lock lock(mutex_);
    const auto is_free = [&] { return holder_ == nullptr || holder_ == link; };
    if (!freed_.wait_for(lock, std::min(deadline, longest_deadline), is_free))
        return Error{.code = Errc::timed_out, .where = "vpcd"};
    holder_ = link;
    return {};
}

void Slot::end(const void* link)
{
    const std::lock_guard lock(mutex_);
    if (holder_ != link) return;
    holder_ = nullptr;
    freed_.notify_one();
}

Result<std::size_t> Slot::transmit(const void* link, const Inserted& card,
                                   std::span<const std::uint8_t> command,
                                   std::span<std::uint8_t> answer)
{
    const auto exchange = [&] {
        const std::lock_guard lock(card_mutex_);
        return card.channel->transmit(command, answer, deadlines_.transmit);
    };
    if (holds(link)) return exchange();
    if (const auto held = hold(link, deadlines_.transmit); !held) return held.error();
    const auto answered = exchange();
    end(link);
    return answered;
}

bool Slot::holds(const void* link)
{
    const std::lock_guard lock(mutex_);
    return holder_ == link;
}

}  // namespace tallycard::vpcd
