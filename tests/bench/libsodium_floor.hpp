// SPDX-License-Identifier: Apache-2.0
// The cryptography of docs/protocol.md as bare calls of libsodium, over messages that lie ready:
// no encoding, no checks, no copies.
#pragma once

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <tallycard/fixed_bytes.hpp>

#include "bench.hpp"

namespace tallycard::bench {

using Bytes = std::vector<std::uint8_t>;

inline Bytes bytes_of(std::span<const std::uint8_t> bytes)
{
    return {bytes.begin(), bytes.end()};
}

inline Bytes signed_message(std::string_view domain, std::span<const std::uint8_t> object)
{
    Bytes message(domain.size() + object.size());
    const auto rest = std::ranges::copy(domain, message.begin()).out;
    std::ranges::copy(object, rest);
    return message;
}

inline void bare_verify(const Signature& signature, const Bytes& message, const PublicKey& key)
{
    keep(crypto_sign_ed25519_verify_detached(signature.bytes().data(), message.data(),
                                             message.size(), key.bytes().data()));
}

inline void bare_sha256(std::span<const std::uint8_t> bytes)
{
    std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest;
    crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
    keep(digest);
}

// The card's way to sign (section 4): r = SHA-512(z ‖ fresh ‖ message), r·B, k, s = r + k·S.
inline void bare_card_signature(std::span<const std::uint8_t, 32> scalar,
                                std::span<const std::uint8_t, 32> public_key, const Bytes& message)
{
    const auto hash = [&](std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
        crypto_hash_sha512_state state;
        crypto_hash_sha512_init(&state);
        crypto_hash_sha512_update(&state, a.data(), a.size());
        crypto_hash_sha512_update(&state, b.data(), b.size());
        crypto_hash_sha512_update(&state, message.data(), message.size());
        std::array<std::uint8_t, 64> wide;
        crypto_hash_sha512_final(&state, wide.data());
        std::array<std::uint8_t, 32> reduced;
        crypto_core_ed25519_scalar_reduce(reduced.data(), wide.data());
        return reduced;
    };
    std::array<std::uint8_t, 32> fresh, point, product, s;
    randombytes_buf(fresh.data(), fresh.size());
    const auto r = hash(scalar, fresh);
    keep(crypto_scalarmult_ed25519_base_noclamp(point.data(), r.data()));
    const auto k = hash(point, public_key);
    crypto_core_ed25519_scalar_mul(product.data(), k.data(), scalar.data());
    crypto_core_ed25519_scalar_add(s.data(), r.data(), product.data());
    keep(s);
}

}  // namespace tallycard::bench
