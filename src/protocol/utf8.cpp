// SPDX-License-Identifier: Apache-2.0
#include "utf8.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace tallycard::utf8 {

std::optional<char32_t> take(std::string_view& text)
{
    const auto first = static_cast<std::uint8_t>(text.front());
    const auto length = static_cast<std::size_t>(std::countl_one(first));
    if (length == 0) {
        text.remove_prefix(1);
        return first;
    }
    if (length == 1 || length > 4 || text.size() < length) return std::nullopt;
    char32_t value = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<std::uint8_t>(text[i]);
        if ((next & 0xC0U) != 0x80U) return std::nullopt;
        value = value << 6 | (next & 0x3FU);
    }
    constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF))
        return std::nullopt;
    text.remove_prefix(length);
    return value;
}

bool is_space(char32_t c)
{
    constexpr std::array<char32_t, 9> single = {0x20,   0x85,   0xA0,   0x1680, 0x2028,
                                                0x2029, 0x202F, 0x205F, 0x3000};
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x2000 && c <= 0x200A) ||
           std::ranges::find(single, c) != single.end();
}

}  // namespace tallycard::utf8
