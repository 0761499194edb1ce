// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/reader.hpp>

namespace testing {

// A link before another one, for a test to change what it transmits. The other must outlive it.
class ForwardingLink : public tallycard::CardLink {
public:
    explicit ForwardingLink(tallycard::CardLink& below) : below_(below) {}
    const tallycard::Atr& atr() const override { return below_.atr(); }
    tallycard::TransmissionProtocol protocol() const override { return below_.protocol(); }
    tallycard::Result<void> begin() override { return below_.begin(); }
    tallycard::Result<void> end() override { return below_.end(); }
    tallycard::Result<void> reconnect() override { return below_.reconnect(); }
    tallycard::Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer) override
    {
        return below_.transmit(command, answer);
    }

private:
    tallycard::CardLink& below_;
};

}  // namespace testing
