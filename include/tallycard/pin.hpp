// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

inline constexpr std::size_t min_pin_digits = 4, max_pin_digits = 12, pin_tries = 3;

// The ISO 9564-1 format 2 block of a PIN of 4 to 12 ASCII digits; erases `digits`. Errc::malformed
// for anything else. Take the digits from a prompt or a descriptor, never from argv.
TALLYCARD_EXPORT Result<PinBlock> make_pin_block(std::span<char> digits);

// Whether 8 bytes are such a block. In constant time in the digits.
TALLYCARD_EXPORT bool is_pin_block(std::span<const std::uint8_t, 8> block) noexcept;

}  // namespace tallycard
