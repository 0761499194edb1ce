// SPDX-License-Identifier: Apache-2.0
// Ed25519 over libsodium, in the one form that docs/protocol.md, section 4, allows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/secret.hpp>

namespace tallycard::ed25519 {

// A signature whose S has to stay secret: the one that derives a card's key.
using SecretSignature = Secret<Signature::size, struct SecretSignatureTag>;

// Strict, without the cofactor: S·B = R + k·A, S < L, A and R canonical and not of small order.
// `domain` is of wire::domain; `object` at most 256 bytes.
TALLYCARD_EXPORT bool verify(const Signature& signature, std::string_view domain,
                             std::span<const std::uint8_t> object, const PublicKey& key);
TALLYCARD_EXPORT bool verify(const SecretSignature& signature, std::string_view domain,
                             std::span<const std::uint8_t> object, const PublicKey& key);

// Ordinary RFC 8032 signature with a seed, for the issuer's keys.
TALLYCARD_EXPORT Signature sign(const KeySeed& seed, std::string_view domain,
                                std::span<const std::uint8_t> object);
// A signature over a message with domain, by a scalar a with public key A = a·B. Its nonce is
// SHA-512(secret ‖ fresh ‖ message) mod L: with RFC 8032's prefix and nothing fresh it is RFC
// 8032's signature. The scalar may be any 32 bytes, little-endian; it is not clamped.
TALLYCARD_EXPORT SecretSignature sign_with_scalar(std::span<const std::uint8_t, 32> scalar,
                                                  const PublicKey& public_key,
                                                  std::span<const std::uint8_t, 32> secret,
                                                  std::span<const std::uint8_t> fresh,
                                                  std::string_view domain,
                                                  std::span<const std::uint8_t> object);
// The same with the scalar and the prefix that RFC 8032 makes of a seed.
TALLYCARD_EXPORT SecretSignature sign_secret(const KeySeed& seed,
                                             std::span<const std::uint8_t> fresh,
                                             std::string_view domain,
                                             std::span<const std::uint8_t> object);
// scalar·B, not clamped. Requires a scalar that is not zero modulo L.
TALLYCARD_EXPORT PublicKey base_times(std::span<const std::uint8_t, 32> scalar);
// Of a whole message of any length, without a domain: a note with what goes before it.
TALLYCARD_EXPORT bool verify_message(const Signature& signature,
                                     std::span<const std::uint8_t> message, const PublicKey& key);
TALLYCARD_EXPORT Signature sign_message(const KeySeed& seed, std::span<const std::uint8_t> message);
TALLYCARD_EXPORT PublicKey public_key(const KeySeed& seed);

}  // namespace tallycard::ed25519
