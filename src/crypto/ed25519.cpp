// SPDX-License-Identifier: Apache-2.0
#include "ed25519.hpp"

#include <algorithm>
#include <array>

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ed25519.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>

#include <tallycard/contract.hpp>

#include "secrecy.hpp"
#include "signed_message.hpp"

namespace tallycard::ed25519 {

namespace {

// libsodium's own rule is the strict one: it refuses S ≥ L, A and R of small order and A that is
// not canonical, and compares R as bytes with the canonical encoding of S·B − k·A.
bool verify(std::span<const std::uint8_t, Signature::size> signature,
            std::span<const std::uint8_t> message, const PublicKey& key)
{
    return crypto_sign_ed25519_verify_detached(signature.data(), message.data(), message.size(),
                                               key.bytes().data()) == 0;
}

using Scalar = std::array<std::uint8_t, crypto_core_ed25519_SCALARBYTES>;

// SHA-512(a ‖ b ‖ message) mod L
Scalar hash_to_scalar(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
                      const SignedMessage& message)
{
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, a.data(), a.size());
    crypto_hash_sha512_update(&state, b.data(), b.size());
    crypto_hash_sha512_update(&state, message.bytes().data(), message.bytes().size());
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> hash;
    crypto_hash_sha512_final(&state, hash.data());
    Scalar scalar;
    crypto_core_ed25519_scalar_reduce(scalar.data(), hash.data());
    sodium_memzero(&state, sizeof state);
    sodium_memzero(hash.data(), hash.size());
    return scalar;
}

SecretSignature sign_bytes(const KeySeed& seed, std::span<const std::uint8_t> message)
{
    std::array<std::uint8_t, crypto_sign_ed25519_PUBLICKEYBYTES> public_part;
    std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> secret;
    crypto_sign_ed25519_seed_keypair(public_part.data(), secret.data(), seed.reveal().data());
    std::array<std::uint8_t, Signature::size> signature;
    crypto_sign_ed25519_detached(signature.data(), nullptr, message.data(), message.size(),
                                 secret.data());
    sodium_memzero(secret.data(), secret.size());
    return SecretSignature(std::span(signature));
}

}  // namespace

bool verify(const Signature& signature, std::string_view domain,
            std::span<const std::uint8_t> object, const PublicKey& key)
{
    return verify(signature.bytes(), SignedMessage(domain, object).bytes(), key);
}

bool verify(const SecretSignature& signature, std::string_view domain,
            std::span<const std::uint8_t> object, const PublicKey& key)
{
    return verify(signature.reveal(), SignedMessage(domain, object).bytes(), key);
}

Signature sign(const KeySeed& seed, std::string_view domain, std::span<const std::uint8_t> object)
{
    const auto signature = sign_bytes(seed, SignedMessage(domain, object).bytes());
    return Signature(signature.reveal());
}

PublicKey base_times(std::span<const std::uint8_t, 32> scalar)
{
    std::array<std::uint8_t, PublicKey::size> point{};
    const int made = crypto_scalarmult_ed25519_base_noclamp(point.data(), scalar.data());
    secrecy::now_public(point);
    TALLYCARD_EXPECTS(secrecy::holds(static_cast<unsigned>(made)));  // fails for zero only
    return PublicKey(point);
}

SecretSignature sign_with_scalar(std::span<const std::uint8_t, 32> scalar,
                                 const PublicKey& public_key,
                                 std::span<const std::uint8_t, 32> secret,
                                 std::span<const std::uint8_t> fresh, std::string_view domain,
                                 std::span<const std::uint8_t> object)
{
    const SignedMessage message(domain, object);
    auto r = hash_to_scalar(secret, fresh, message);
    const auto commitment = base_times(r);
    const auto k = hash_to_scalar(commitment.bytes(), public_key.bytes(), message);

    Scalar s, product;
    crypto_core_ed25519_scalar_mul(product.data(), k.data(), scalar.data());
    crypto_core_ed25519_scalar_add(s.data(), r.data(), product.data());
    sodium_memzero(r.data(), r.size());
    sodium_memzero(product.data(), product.size());

    std::array<std::uint8_t, Signature::size> bytes;
    std::ranges::copy(commitment.bytes(), bytes.begin());
    std::ranges::copy(s, bytes.begin() + 32);
    return SecretSignature(bytes);
}

SecretSignature sign_secret(const KeySeed& seed, std::span<const std::uint8_t> fresh,
                            std::string_view domain, std::span<const std::uint8_t> object)
{
    // RFC 8032, 5.1.5: the first half, with some bits fixed, is the scalar; the second the prefix.
    std::array<std::uint8_t, crypto_hash_sha512_BYTES> halves;
    crypto_hash_sha512(halves.data(), seed.reveal().data(), KeySeed::size);
    halves[0] &= 0xF8;
    halves[31] = static_cast<std::uint8_t>((halves[31] & 0x7F) | 0x40);
    const std::span<const std::uint8_t, 64> both(halves);
    auto signature = sign_with_scalar(both.first<32>(), public_key(seed), both.last<32>(), fresh,
                                      domain, object);
    sodium_memzero(halves.data(), halves.size());
    return signature;
}

bool verify_message(const Signature& signature, std::span<const std::uint8_t> message,
                    const PublicKey& key)
{
    return verify(signature.bytes(), message, key);
}

Signature sign_message(const KeySeed& seed, std::span<const std::uint8_t> message)
{
    const auto signature = sign_bytes(seed, message);
    return Signature(signature.reveal());
}

PublicKey public_key(const KeySeed& seed)
{
    std::array<std::uint8_t, crypto_sign_ed25519_PUBLICKEYBYTES> public_part;
    std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> secret;
    crypto_sign_ed25519_seed_keypair(public_part.data(), secret.data(), seed.reveal().data());
    sodium_memzero(secret.data(), secret.size());
    return PublicKey(public_part);
}

}  // namespace tallycard::ed25519
