// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <tallycard/reader.hpp>

#include "../../virtual-card/applet/t0_framing.hpp"
#include "../../virtual-card/nvm/memory_storage.hpp"

namespace fuzz {

// A virtual card whose image is a copy in memory, and the link to it.
class MemoryCard final : public tallycard::CardLink {
public:
    using Image = tallycard::chip::MemoryStorage::Bytes;

    explicit MemoryCard(const Image& image, bool is_t0 = false) : storage_(image), is_t0_(is_t0)
    {
        nvm_.load();
    }

    // A blank card's image.
    static Image blank(const tallycard::TransportKey& transport_key)
    {
        tallycard::chip::MemoryStorage storage;
        tallycard::chip::CardMemory memory;
        memory.secrets.transport_key = tallycard::chip::clone(transport_key);
        if (!tallycard::chip::SlotNvm::format(storage, memory)) std::abort();
        return storage.bytes();
    }

    const Image& image() { return storage_.bytes(); }
    const tallycard::chip::CardMemory& now() const { return nvm_.current(); }

    const tallycard::Atr& atr() const override { return atr_; }
    tallycard::TransmissionProtocol protocol() const override
    {
        return is_t0_ ? tallycard::TransmissionProtocol::t0 : tallycard::TransmissionProtocol::t1;
    }
    tallycard::Result<void> begin() override { return {}; }
    tallycard::Result<void> end() override { return {}; }
    tallycard::Result<void> reconnect() override
    {
        t0_.power_on();
        return {};
    }
    tallycard::Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer) override
    {
        std::array<std::uint8_t, tallycard::chip::Applet::max_answer> out{};
        const auto size = is_t0_ ? t0_.process(command, out) : applet_.process(command, out);
        const auto given = std::min(size, answer.size());
        std::copy_n(out.begin(), given, answer.begin());
        return given;
    }

private:
    tallycard::chip::MemoryStorage storage_;
    tallycard::chip::SlotNvm nvm_{storage_};
    tallycard::chip::Applet applet_{nvm_};
    tallycard::chip::T0Framing t0_{applet_};
    tallycard::Atr atr_;
    bool is_t0_;
};

}  // namespace fuzz
