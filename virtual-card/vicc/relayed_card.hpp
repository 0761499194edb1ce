// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <tallycard/reader_spec.hpp>

#include "../virtual_card.hpp"

namespace tallycard::chip {

// The card of another reader, lent to this one: what comes in is passed on. When the link to it
// breaks, the card leaves; it is back as soon as the other reader has one.
class RelayedCard final : public VirtualCard {
public:
    RelayedCard(std::unique_ptr<ReaderDriver> driver, std::unique_ptr<Reader> reader)
        : driver_(std::move(driver)), reader_(std::move(reader))
    {
    }
    // As open_reader_driver() and open_reader().
    static Result<std::unique_ptr<VirtualCard>> open(const std::string& spec,
                                                     ReaderSpecOptions options);

    const Atr& atr() const override { return atr_; }
    TransmissionProtocol protocol() const override;
    bool memory_damaged() const override { return false; }
    bool is_present() override;

    // A connection to a card of another PC/SC reader does not reset it.
    void power_on() override { reset(); }
    void power_off() override { link_.reset(); }
    void reset() override;
    std::size_t transmit(std::span<const std::uint8_t> command,
                         std::span<std::uint8_t> answer) override;

private:
    std::unique_ptr<ReaderDriver> driver_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<CardLink> link_;
    Atr atr_;
};

}  // namespace tallycard::chip
