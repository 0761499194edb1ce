// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <utility>

#include <tallycard/transport_key_file.hpp>

#include "../../virtual-card/virtual_card.hpp"
#include "card_source.hpp"
#include "ifd_log.hpp"

namespace tallycard::ifd {
namespace {

using namespace std::chrono;

class ImageCard final : public Card {
public:
    explicit ImageCard(std::unique_ptr<VirtualCard> card) : card_(std::move(card)) {}

    Result<Atr> power_on() override
    {
        const std::lock_guard guard(mutex_);
        card_->power_on();
        return card_->atr();
    }
    Result<Atr> reset() override
    {
        const std::lock_guard guard(mutex_);
        card_->reset();
        return card_->atr();
    }
    Result<void> power_off() override
    {
        const std::lock_guard guard(mutex_);
        card_->power_off();
        return {};
    }
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        if (answer.size() < VirtualCard::max_answer)
            return Error{.code = Errc::malformed, .where = "room for an answer"};
        const std::lock_guard guard(mutex_);
        return card_->transmit(command, answer);
    }
    bool is_gone() const override { return false; }

private:
    std::mutex mutex_;
    std::unique_ptr<VirtualCard> card_;
};

class ImageSource final : public CardSource {
public:
    ImageSource(SlotConfig config, std::string name)
        : config_(std::move(config)), name_(std::move(name))
    {
    }

    std::shared_ptr<Card> card() override
    {
        const std::lock_guard guard(mutex_);
        if (card_ || steady_clock::now() < next_try_) return card_;
        next_try_ = steady_clock::now() + pause;
        auto opened = open();
        if (opened) {
            if ((*opened)->memory_damaged()) {
                log_error(name_ +
                          ": both copies of the card's memory are damaged; it answers 6581");
            }
            card_ = std::make_shared<ImageCard>(*std::move(opened));
            log_info(name_ + ": has the card " + config_.image);
        } else if (std::exchange(trouble_, opened.error().code) != opened.error().code) {
            log_error(name_ + ": " + config_.image + ": " + opened.error().message() +
                      "; trying again");
        }
        return card_;
    }

    void wait(milliseconds at_most, int interrupt) override
    {
        {
            const std::lock_guard guard(mutex_);
            if (!card_) at_most = std::min<milliseconds>(at_most, pause);
        }
        pollfd waiting{interrupt, POLLIN, 0};
        (void)::poll(&waiting, 1, static_cast<int>(at_most.count()));
    }

private:
    static constexpr auto pause = seconds(1);

    Result<std::unique_ptr<VirtualCard>> open() const
    {
        std::optional<TransportKey> key;
        if (!config_.transport_key_file.empty()) {
            auto read = read_transport_key(config_.transport_key_file);
            if (!read) return read.error();
            key.emplace(*std::move(read));
        }
        return VirtualCard::open({.image = config_.image,
                                  .transport_key = key ? &*key : nullptr,
                                  .protocol = config_.protocol,
                                  .durable = config_.fsync});
    }

    SlotConfig config_;
    std::string name_;
    std::mutex mutex_;
    std::shared_ptr<Card> card_;
    steady_clock::time_point next_try_;
    std::optional<Errc> trouble_;  // what was logged last
};

}  // namespace

std::unique_ptr<CardSource> open_image_source(SlotConfig config, std::string name)
{
    return std::make_unique<ImageSource>(std::move(config), std::move(name));
}

}  // namespace tallycard::ifd
