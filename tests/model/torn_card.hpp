// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <utility>

#include <tallycard/reader.hpp>

#include "../support/test_card.hpp"

namespace testing {

// The memory of a card whose power fails in the middle of its next write, which leaves `kept` bytes
// of what was to be written and then, perhaps, garbage. Nothing works until the power is back.
class TornStorage final : public tallycard::chip::Storage {
public:
    struct Cut {
        std::size_t kept = 0;
        bool garbage = false;
    };

    void plan(Cut cut) { cut_ = cut; }
    bool is_off() const { return off_; }
    void power_on() { off_ = false; }

    bool read(std::size_t offset, std::span<std::uint8_t> out) override
    {
        return !off_ && memory_.read(offset, out);
    }
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override
    {
        if (off_) return false;
        // The model cuts the writes of a commit's new slot; spoiling the old one is none of them.
        if (!cut_ || bytes.size() != tallycard::chip::SlotNvm::slot_size)
            return memory_.write(offset, bytes);
        const auto [kept, garbage] = *std::exchange(cut_, std::nullopt);
        off_ = true;
        const auto whole = std::min(kept, bytes.size());
        if (garbage) (void)memory_.write(offset + whole, Bytes(bytes.size() - whole, 0x5A));
        return memory_.write(offset, bytes.first(whole)) && false;
    }
    bool sync() override { return !off_; }

private:
    tallycard::chip::MemoryStorage memory_;
    std::optional<Cut> cut_;
    bool off_ = false;
};

// A virtual card in memory, blank at first, and the link to it. When its power fails the answer is
// lost and the power comes back.
class TornCard final : public tallycard::CardLink {
public:
    explicit TornCard(const tallycard::TransportKey& transport_key)
    {
        tallycard::chip::CardMemory memory;
        memory.secrets.transport_key = tallycard::chip::clone(transport_key);
        if (!tallycard::chip::SlotNvm::format(storage_, memory)) throw std::runtime_error("format");
        power_on();
    }

    const tallycard::chip::CardMemory& now() const { return nvm_.current(); }
    Bytes memory() const
    {
        std::array<std::uint8_t, tallycard::chip::CardMemory::encoded_size> bytes;
        now().encode(bytes);
        return bytes_of(bytes);
    }
    void cut_next_write(TornStorage::Cut cut) { storage_.plan(cut); }
    void power_on()
    {
        storage_.power_on();
        nvm_.load();
        applet_.power_on();
    }
    // To the application, selected; empty where the power failed.
    std::optional<Reply> send(std::span<const std::uint8_t> command)
    {
        (void)process(command_apdu(tallycard::wire::command::select, tallycard::wire::aid, 0));
        return process(command);
    }

    const tallycard::Atr& atr() const override { return atr_; }
    tallycard::TransmissionProtocol protocol() const override
    {
        return tallycard::TransmissionProtocol::t1;
    }
    tallycard::Result<void> begin() override { return {}; }
    tallycard::Result<void> end() override { return {}; }
    tallycard::Result<void> reconnect() override { return {}; }
    tallycard::Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer) override
    {
        std::array<std::uint8_t, tallycard::chip::Applet::max_answer> buffer{};
        const auto size = applet_.process(command, buffer);
        std::ranges::copy(std::span(buffer).first(size), answer.begin());
        return size;
    }

private:
    std::optional<Reply> process(std::span<const std::uint8_t> command)
    {
        std::array<std::uint8_t, tallycard::chip::Applet::max_answer> answer{};
        const auto size = applet_.process(command, answer);
        if (!storage_.is_off()) return reply_of(std::span(answer).first(size));
        power_on();
        return std::nullopt;
    }

    TornStorage storage_;
    tallycard::chip::SlotNvm nvm_{storage_};
    tallycard::chip::Applet applet_{nvm_};
    tallycard::Atr atr_;
};

}  // namespace testing
