// SPDX-License-Identifier: Apache-2.0
#include "group.hpp"

#include <tallycard/verify.hpp>

#include <array>

#include <sodium/crypto_core_ed25519.h>
#include <sodium/utils.h>

namespace tallycard {

bool is_valid(const PublicKey& key) noexcept
{
    return crypto_core_ed25519_is_valid_point(key.bytes().data()) == 1;
}

bool is_valid(const Certificate& certificate) noexcept
{
    return crypto_core_ed25519_is_valid_point(certificate.bytes().data()) == 1;
}

bool is_valid_scalar(std::span<const std::uint8_t, 32> scalar) noexcept
{
    std::array<std::uint8_t, crypto_core_ed25519_NONREDUCEDSCALARBYTES> wide{};
    for (std::size_t i = 0; i < scalar.size(); ++i) wide[i] = scalar[i];
    std::array<std::uint8_t, crypto_core_ed25519_SCALARBYTES> reduced;
    crypto_core_ed25519_scalar_reduce(reduced.data(), wide.data());
    const bool canonical = sodium_memcmp(reduced.data(), scalar.data(), reduced.size()) == 0;
    const bool zero = sodium_is_zero(reduced.data(), reduced.size()) == 1;
    sodium_memzero(wide.data(), wide.size());
    sodium_memzero(reduced.data(), reduced.size());
    return canonical && !zero;
}

}  // namespace tallycard
