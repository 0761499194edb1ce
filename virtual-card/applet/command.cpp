// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <tallycard/contract.hpp>

#include <algorithm>

namespace tallycard::chip {

Command Command::parse(std::span<const std::uint8_t> bytes)
{
    TALLYCARD_EXPECTS(bytes.size() >= 4);
    Command command;
    command.header = {.cla = bytes[0], .ins = bytes[1], .p1 = bytes[2], .p2 = bytes[3]};
    const auto body = bytes.subspan(4);
    const auto length_of = [](std::uint8_t le) { return le == 0 ? apdu::Command::any_length : le; };

    if (body.size() <= 1) {
        if (!body.empty()) command.expected = length_of(body[0]);
        command.well_formed = true;
        return command;
    }
    const std::size_t size = body[0];  // 00 here would open an extended length
    if (size == 0 || body.size() < 1 + size || body.size() > 2 + size) return command;
    command.data = body.subspan(1, size);
    if (body.size() == 2 + size) command.expected = length_of(body.back());
    command.well_formed = true;
    return command;
}

std::span<std::uint8_t> Answer::extend(std::size_t size)
{
    TALLYCARD_EXPECTS(size <= out_.size() - size_);
    const auto part = out_.subspan(size_, size);
    size_ += size;
    return part;
}

void Answer::put(std::span<const std::uint8_t> bytes)
{
    std::ranges::copy(bytes, extend(bytes.size()).begin());
}

}  // namespace tallycard::chip
