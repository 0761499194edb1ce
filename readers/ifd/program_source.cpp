// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <utility>

#include "../vpcd/vpcd_listener.hpp"
#include "card_source.hpp"
#include "ifd_log.hpp"

namespace tallycard::ifd {
namespace {

using std::chrono::milliseconds;

class ProgramCard final : public Card {
public:
    ProgramCard(std::shared_ptr<vpcd::Channel> channel, milliseconds deadline)
        : channel_(std::move(channel)), deadline_(deadline)
    {
    }

    Result<Atr> power_on() override { return channel_->power_on(deadline_); }
    Result<Atr> reset() override { return channel_->reset(deadline_); }
    Result<void> power_off() override { return channel_->power_off(deadline_); }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        return channel_->transmit(command, answer, deadline_);
    }
    bool is_gone() const override { return channel_->is_gone(); }

private:
    std::shared_ptr<vpcd::Channel> channel_;
    milliseconds deadline_;
};

class ProgramSource final : public CardSource {
public:
    ProgramSource(std::unique_ptr<vpcd::Listener> listener, milliseconds deadline, std::string name)
        : listener_(std::move(listener)), deadline_(deadline), name_(std::move(name))
    {
    }

    std::shared_ptr<Card> card() override
    {
        const std::lock_guard guard(mutex_);
        const auto state = listener_->update();
        if (std::exchange(refused_, state.refused) != state.refused)
            log_error(name_ + ": there is a card in it; another one was turned away");
        if (!state.card) {
            card_.reset();
        } else if (std::exchange(arrivals_, state.arrivals) != state.arrivals) {
            card_ = std::make_shared<ProgramCard>(state.card, deadline_);
        }
        return card_;
    }

    void wait(milliseconds at_most, int interrupt) override
    {
        (void)listener_->wait(at_most, interrupt);
    }

private:
    std::unique_ptr<vpcd::Listener> listener_;
    milliseconds deadline_;
    std::string name_;
    std::mutex mutex_;
    std::shared_ptr<Card> card_;
    std::uint64_t arrivals_ = 0, refused_ = 0;
};

}  // namespace

Result<std::unique_ptr<CardSource>> open_program_source(const std::string& socket,
                                                        milliseconds deadline, std::string name)
{
    auto listener = vpcd::Listener::on_unix_socket(socket);
    if (!listener) return listener.error();
    return std::unique_ptr<CardSource>(
        std::make_unique<ProgramSource>(*std::move(listener), deadline, std::move(name)));
}

}  // namespace tallycard::ifd
