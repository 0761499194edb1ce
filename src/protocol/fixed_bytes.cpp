// SPDX-License-Identifier: Apache-2.0
#include <tallycard/fixed_bytes.hpp>

namespace tallycard {

std::string to_hex(std::span<const std::uint8_t> bytes)
{
    constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * bytes.size());
    for (const auto b : bytes) {
        hex += digits[b >> 4];
        hex += digits[b & 0x0F];
    }
    return hex;
}

namespace detail {
namespace {

// 0 to 15, or more for what is no digit. Without a branch: an auditor reads a thousand a record.
unsigned nibble(char c)
{
    const unsigned code = static_cast<unsigned char>(c);
    const bool is_digit = code - '0' < 10U, is_letter = code - 'a' < 6U;
    return (code & 15U) + 9 * (code >> 6U) + (is_digit || is_letter ? 0U : 16U);
}

}  // namespace

bool from_hex(std::string_view hex, std::span<std::uint8_t> out) noexcept
{
    if (hex.size() != 2 * out.size()) return false;
    unsigned all = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto high = nibble(hex[2 * i]);
        const auto low = nibble(hex[2 * i + 1]);
        all |= high | low;
        out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return all < 16;
}

}  // namespace detail
}  // namespace tallycard
