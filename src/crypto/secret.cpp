// SPDX-License-Identifier: Apache-2.0
#include <tallycard/secret.hpp>

#include <sodium/utils.h>

namespace tallycard::detail {

void erase(std::span<std::uint8_t> bytes) noexcept
{
    sodium_memzero(bytes.data(), bytes.size());
}

bool equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) noexcept
{
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tallycard::detail
