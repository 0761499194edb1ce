// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <tallycard/reader.hpp>

#include "sim_card.hpp"

namespace simulation {

// A terminal's connection to a card, for one contact: loses, repeats and damages what passes, as
// planned. After a removal every call fails; after a reset, until reconnect().
class SimLink final : public tallycard::CardLink {
public:
    SimLink(Environment& environment, SimCard& card) : environment_(environment), card_(card) {}
    ~SimLink() override { release(); }

    const tallycard::Atr& atr() const override { return atr_; }
    tallycard::TransmissionProtocol protocol() const override { return card_.protocol(); }
    tallycard::Result<void> begin() override;
    tallycard::Result<void> end() override;
    tallycard::Result<void> reconnect() override;
    tallycard::Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer) override;

private:
    void release()
    {
        if (card_.holder == this) card_.holder = nullptr;
    }
    [[noreturn]] void die();
    tallycard::Error broken(tallycard::Errc code, bool lasts);
    std::optional<tallycard::Error> before_the_card(const Fault& fault);
    std::optional<tallycard::Error> after_the_card(const Fault& fault);
    Bytes process_faulty(const Fault& fault, std::span<const std::uint8_t> command);
    void damage(const Fault& fault, Bytes& answer) const;

    Environment& environment_;
    SimCard& card_;
    tallycard::Atr atr_;
    Bytes previous_;
    std::optional<tallycard::Errc> broken_;
};

}  // namespace simulation
