// SPDX-License-Identifier: Apache-2.0
#include "group.hpp"

#include <tallycard/verify.hpp>

#include <array>

#include <sodium/crypto_core_ed25519.h>
#include <sodium/utils.h>

#include "../crypto/secrecy.hpp"

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
    const int not_canonical = sodium_memcmp(reduced.data(), scalar.data(), reduced.size());
    const int zero = sodium_is_zero(reduced.data(), reduced.size());
    sodium_memzero(wide.data(), wide.size());
    sodium_memzero(reduced.data(), reduced.size());
    return secrecy::holds(static_cast<unsigned>(not_canonical | zero));
}

}  // namespace tallycard
