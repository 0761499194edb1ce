// SPDX-License-Identifier: Apache-2.0
#include <tallycard/pin.hpp>

#include <algorithm>
#include <array>

#include "../crypto/secrecy.hpp"

namespace tallycard {

Result<PinBlock> make_pin_block(std::span<char> digits)
{
    const std::span<std::uint8_t> source(reinterpret_cast<std::uint8_t*>(digits.data()),
                                         digits.size());
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto size = digits.size();
    if (size < min_pin_digits || size > max_pin_digits || !std::ranges::all_of(digits, is_digit)) {
        detail::erase(source);
        return Error{.code = Errc::malformed, .where = "PIN (4 to 12 digits)"};
    }
    std::array<std::uint8_t, PinBlock::size> block;
    block.fill(0xFF);
    block[0] = static_cast<std::uint8_t>(0x20 | size);
    for (std::size_t i = 0; i < size; ++i) {
        auto& byte = block[1 + i / 2];
        const auto digit = static_cast<std::uint8_t>(digits[i] - '0');
        byte = static_cast<std::uint8_t>(i % 2 == 0 ? digit << 4 | 0x0F : (byte & 0xF0) | digit);
    }
    detail::erase(source);
    return PinBlock(block);
}

// No branch and no index depends on the block: only whether it is one gets out.
bool is_pin_block(std::span<const std::uint8_t, 8> block) noexcept
{
    constexpr unsigned least = min_pin_digits, most = max_pin_digits;
    const unsigned size = block[0] & 0x0Fu;
    unsigned wrong = (block[0] >> 4) ^ 2u;
    wrong |= (size - least) >> 31 | (most - size) >> 31;  // 1 where it is below zero
    for (unsigned i = 0; i < 14; ++i) {
        const unsigned byte = block[1 + i / 2];
        const unsigned nibble = i % 2 == 0 ? byte >> 4 : byte & 0x0Fu;
        const unsigned bad_digit = (nibble + 6u) >> 4;  // 1 above 9
        const unsigned bad_filler = nibble ^ 0x0Fu;
        const unsigned in_pin = 0u - ((i - size) >> 31);  // all ones for i < size
        wrong |= (bad_digit & in_pin) | (bad_filler & ~in_pin);
    }
    return secrecy::holds(wrong);
}

}  // namespace tallycard
