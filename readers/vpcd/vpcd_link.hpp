// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <tallycard/reader.hpp>

#include "vpcd_slot.hpp"

namespace tallycard::vpcd {

class Link final : public CardLink {
public:
    static Result<std::unique_ptr<CardLink>> connect(std::shared_ptr<Slot> slot, Sharing sharing);
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() override;

    const Atr& atr() const override { return card_.atr; }
    TransmissionProtocol protocol() const override;
    Result<void> begin() override;
    Result<void> end() override;
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override;
    // To the card that is in now.
    Result<void> reconnect() override;

private:
    Link(std::shared_ptr<Slot> slot, Sharing sharing) : slot_(std::move(slot)), sharing_(sharing) {}
    Result<void> find_card();

    std::shared_ptr<Slot> slot_;
    Sharing sharing_;
    Inserted card_;
};

}  // namespace tallycard::vpcd
