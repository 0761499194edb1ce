// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

#include <tallycard/reader.hpp>

#include "input.hpp"

namespace fuzz {

// A link to a card whose every answer the input may lose, repeat, change, cut, or put another in
// the place of.
class HostileLink final : public tallycard::CardLink {
public:
    // Makes an answer of its own for this command, genuine or not, from the input.
    using Forge = std::function<Bytes(std::span<const std::uint8_t> command, Input& input)>;
    // Hears each command, whatever becomes of it.
    using Watch = std::function<void(std::span<const std::uint8_t> command)>;

    HostileLink(tallycard::CardLink& below, Input& input, Forge forge = {})
        : below_(below), input_(input), forge_(std::move(forge))
    {
    }

    void be_honest() { is_honest_ = true; }
    void watch(Watch watch) { watch_ = std::move(watch); }

    const tallycard::Atr& atr() const override { return below_.atr(); }
    tallycard::TransmissionProtocol protocol() const override { return below_.protocol(); }
    tallycard::Result<void> begin() override { return fails() ? failure() : below_.begin(); }
    tallycard::Result<void> end() override { return fails() ? failure() : below_.end(); }
    tallycard::Result<void> reconnect() override
    {
        return fails() ? failure() : below_.reconnect();
    }
    bool has_pin_pad() override { return true; }

    tallycard::Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer) override
    {
        if (watch_) watch_(command);
        const auto how = is_honest_ ? 0 : input_.byte();
        if (how < 0x60) return remember(below_.transmit(command, answer), answer);
        switch (how % 10) {
        case 0: return failure().error();
        case 1: (void)below_.transmit(command, answer); return failure(true).error();
        case 2: return changed(below_.transmit(command, answer), answer);
        case 3: return put(last_, answer);
        case 4: {
            const auto raw = input_.counted();
            return put(Bytes(raw.begin(), raw.end()), answer);
        }
        case 5: return put(status(), answer);
        case 6: return with_status(below_.transmit(command, answer), answer);
        case 7: return in_pieces(below_.transmit(command, answer), answer);
        case 8: (void)below_.reconnect(); return below_.transmit(command, answer);
        default: return put(forge_ ? forge_(command, input_) : status(), answer);
        }
    }
    tallycard::Result<std::size_t> transmit_with_pin(tallycard::PinEntry,
                                                     std::span<const std::uint8_t> command,
                                                     std::span<std::uint8_t> answer) override
    {
        constexpr std::uint16_t words[] = {0x6400, 0x6401, 0x6402, 0x6403};
        const auto how = is_honest_ ? 0 : input_.byte();
        if (how < 0x80) return transmit(command, answer);
        return tallycard::Error{
            .code = how < 0xA0 ? tallycard::Errc::timed_out : tallycard::Errc::cancelled,
            .sw = tallycard::StatusWord(words[how % 4]),
            .where = "fuzz"};
    }

private:
    using Size = tallycard::Result<std::size_t>;

    bool fails() { return !is_honest_ && input_.byte() >= 0xF0; }
    tallycard::Result<void> failure(bool was_sent = false)
    {
        using enum tallycard::Errc;
        constexpr tallycard::Errc codes[] = {card_reset,  card_removed, link_failed, timed_out,
                                             card_shared, no_card,      cancelled,   access_denied};
        const auto how = input_.byte();
        const bool is_unknown = was_sent || (how & 8) != 0;
        return tallycard::Error{
            .code = codes[how % 8],
            .effect = is_unknown ? tallycard::Effect::unknown : tallycard::Effect::none,
            .where = "fuzz"};
    }
    Size remember(Size size, std::span<const std::uint8_t> answer)
    {
        if (size) last_.assign(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(*size));
        return size;
    }
    static Size put(const Bytes& bytes, std::span<std::uint8_t> answer)
    {
        const auto size = std::min(bytes.size(), answer.size());
        std::copy_n(bytes.begin(), size, answer.begin());
        return size;
    }
    Size changed(Size size, std::span<std::uint8_t> answer)
    {
        if (!size) return size;
        Bytes bytes(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(*size));
        edit(bytes, input_);
        return put(bytes, answer);
    }
    Bytes status()
    {
        constexpr std::uint16_t words[] = {
            0x9000, 0x6100, 0x61FF, 0x6C00, 0x6C10, 0x63C0, 0x63C2, 0x6581, 0x6700, 0x6982, 0x6983,
            0x6984, 0x6985, 0x6988, 0x6A80, 0x6A82, 0x6A86, 0x6A88, 0x6D00, 0x6E00, 0x9401, 0x9402,
            0x9403, 0x9404, 0x9405, 0x9406, 0x9407, 0x9408, 0x6F00, 0x6282, 0x63CF, 0x0000};
        const auto word = words[input_.below(std::size(words))];
        return {static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
    }
    Size with_status(Size size, std::span<std::uint8_t> answer)
    {
        if (!size || *size < 2) return size;
        const auto word = status();
        std::copy(word.begin(), word.end(),
                  answer.begin() + static_cast<std::ptrdiff_t>(*size - 2));
        return size;
    }
    // The whole answer may come by and by, as GET RESPONSE asks: 61xx without end.
    Size in_pieces(Size size, std::span<std::uint8_t> answer)
    {
        if (!size) return size;
        const auto keep = std::min<std::size_t>(input_.byte(), *size);
        Bytes bytes(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(keep));
        bytes.insert(bytes.end(), {0x61, input_.byte()});
        return put(bytes, answer);
    }

    tallycard::CardLink& below_;
    Input& input_;
    Forge forge_;
    Watch watch_;
    Bytes last_;
    bool is_honest_ = false;
};

}  // namespace fuzz
