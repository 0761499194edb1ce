// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include <tallycard/reader.hpp>

#include "../../virtual-card/virtual_card.hpp"

namespace tallycard::loopback {

class Link;

// A card and who uses it. Shared by driver, readers and links, so that the last one closes it.
struct Slot {
    Slot(std::string slot_name, std::unique_ptr<VirtualCard> slot_card)
        : name(std::move(slot_name)), card(std::move(slot_card))
    {
    }

    std::string name;
    std::unique_ptr<VirtualCard> card;
    int links = 0;
    bool exclusive = false;
    const Link* holder = nullptr;  // whose transaction it is
};

// There is one thread, so that waiting for another link would be for ever: Errc::card_shared.
class Link final : public CardLink {
public:
    Link(std::shared_ptr<Slot> slot, Sharing sharing);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() override;

    const Atr& atr() const override { return slot_->card->atr(); }
    TransmissionProtocol protocol() const override { return slot_->card->protocol(); }
    Result<void> begin() override;
    Result<void> end() override;
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override;
    // Nobody else resets the card, so this does: select and PIN are gone, as after any reconnect.
    Result<void> reconnect() override;

private:
    bool held_by_another() const { return slot_->holder != nullptr && slot_->holder != this; }
    std::shared_ptr<Slot> slot_;
};

// Its card never leaves.
class LoopbackReader final : public Reader {
public:
    explicit LoopbackReader(std::shared_ptr<Slot> slot);

    const std::string& name() const override { return slot_->name; }
    Result<Atr> card() override { return slot_->card->atr(); }
    Result<Atr> wait_for_card(std::chrono::milliseconds deadline) override;
    Result<void> wait_for_removal(std::chrono::milliseconds deadline) override;
    void cancel() noexcept override;
    Result<std::unique_ptr<CardLink>> connect(Sharing sharing) override;

private:
    bool take_cancel();
    std::shared_ptr<Slot> slot_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool cancelled_ = false;
};

}  // namespace tallycard::loopback
