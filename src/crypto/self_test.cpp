// SPDX-License-Identifier: Apache-2.0
#include <tallycard/verify.hpp>

#include <sodium/core.h>
#include <sodium/crypto_core_ed25519.h>

namespace tallycard {
namespace {

// The base point plus the point of order 2: on the curve, canonical, and not of the prime-order
// group. A libsodium with CVE-2025-69277 takes it for a valid point. (Adding (0, −1) to (x, y)
// gives (−x, −y): −y is p − 4/5.)
constexpr std::array<std::uint8_t, 32> mixed_order = {
    0x95, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99,
    0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99};

constexpr std::array<std::uint8_t, 32> base_point = {
    0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
    0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66};

bool library_is_safe() noexcept
{
    return sodium_init() >= 0 && crypto_core_ed25519_is_valid_point(base_point.data()) == 1 &&
           crypto_core_ed25519_is_valid_point(mixed_order.data()) == 0;
}

}  // namespace

Result<void> self_test() noexcept
{
    static const bool safe = library_is_safe();
    if (safe) return {};
    return Error{.code = Errc::unsafe_library, .where = "libsodium"};
}

}  // namespace tallycard
