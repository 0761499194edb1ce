// SPDX-License-Identifier: Apache-2.0
// What fields 8E, 90 and 91 exclude: points outside the prime-order group (is_valid() of
// tallycard/verify.hpp) and scalars that are no private key.
#pragma once

#include <cstdint>
#include <span>

#include <tallycard/export.hpp>

namespace tallycard {

// Whether 0 < S < L, little-endian.
TALLYCARD_EXPORT bool is_valid_scalar(std::span<const std::uint8_t, 32> scalar) noexcept;

}  // namespace tallycard
