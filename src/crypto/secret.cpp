// SPDX-License-Identifier: Apache-2.0
#include <tallycard/secret.hpp>

#include <sodium/utils.h>

#include "secrecy.hpp"

namespace tallycard::detail {

void erase(std::span<std::uint8_t> bytes) noexcept
{
    sodium_memzero(bytes.data(), bytes.size());
}

bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept
{
    if (a.size() != b.size()) return false;
    return secrecy::holds(static_cast<unsigned>(sodium_memcmp(a.data(), b.data(), a.size())));
}

}  // namespace tallycard::detail
