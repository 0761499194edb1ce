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

std::optional<std::uint8_t> nibble(char c)
{
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    return std::nullopt;
}

}  // namespace

bool from_hex(std::string_view hex, std::span<std::uint8_t> out) noexcept
{
    if (hex.size() != 2 * out.size()) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto high = nibble(hex[2 * i]);
        const auto low = nibble(hex[2 * i + 1]);
        if (!high || !low) return false;
        out[i] = static_cast<std::uint8_t>(*high << 4 | *low);
    }
    return true;
}

}  // namespace detail
}  // namespace tallycard
