// SPDX-License-Identifier: Apache-2.0
#include "digest.hpp"

#include <array>

#include <sodium/crypto_hash_sha256.h>

namespace tallycard {

Digest sha256(std::span<const std::uint8_t> bytes)
{
    std::array<std::uint8_t, Digest::size> digest;
    crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
    return Digest(digest);
}

}  // namespace tallycard
