// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../../src/protocol/digest.hpp"

namespace fuzz {

inline std::span<const std::uint8_t> bytes_of(const std::string& text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// The lines as the file has them, each with its checksum: what a stranger can make as well.
inline std::string checked(std::span<const std::uint8_t> lines)
{
    std::string text = "tallycard-journal 1\n", check;
    std::string_view rest(reinterpret_cast<const char*>(lines.data()), lines.size());
    while (!rest.empty()) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        check.append(line);
        const auto digest = tallycard::sha256(bytes_of(check));
        check = tallycard::to_hex(digest.bytes().first<4>());
        text.append(check).append(1, ' ').append(line).append(1, '\n');
    }
    return text;
}

}  // namespace fuzz
