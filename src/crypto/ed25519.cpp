// SPDX-License-Identifier: Apache-2.0
#include "ed25519.hpp"

#include <array>

#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>

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
    const auto signature = sign_secret(seed, domain, object);
    return Signature(signature.reveal());
}

SecretSignature sign_secret(const KeySeed& seed, std::string_view domain,
                            std::span<const std::uint8_t> object)
{
    return sign_bytes(seed, SignedMessage(domain, object).bytes());
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
