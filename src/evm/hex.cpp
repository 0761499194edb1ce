// SPDX-License-Identifier: Apache-2.0
#include "hex.hpp"

#include <array>
#include <charconv>

namespace tallycard::evm {
namespace {

constexpr std::string_view prefix = "0x";

std::optional<std::uint8_t> digit_of(char c)
{
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace

std::string quantity(std::uint64_t number)
{
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
    return std::string(prefix) + std::string(digits.data(), end);
}

std::optional<std::uint64_t> parse_quantity(std::string_view text)
{
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    if (text.empty() || text.size() > 16 || (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    std::uint64_t number = 0;
    for (const char c : text) {
        const auto digit = digit_of(c);
        if (!digit) return std::nullopt;
        number = number << 4 | *digit;
    }
    return number;
}

std::optional<Bytes> parse_data(std::string_view text)
{
    if (!text.starts_with(prefix) || text.size() % 2 != 0) return std::nullopt;
    text.remove_prefix(prefix.size());
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = digit_of(text[i]), low = digit_of(text[i + 1]);
        if (!high || !low) return std::nullopt;
        bytes.push_back(static_cast<std::uint8_t>(*high << 4 | *low));
    }
    return bytes;
}

}  // namespace tallycard::evm
