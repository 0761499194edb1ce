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
TALLYCARD_EXPORT SecretSignature sign_secret(const KeySeed& seed, std::string_view domain,
                                             std::span<const std::uint8_t> object);
// Of a whole message of any length, without a domain: a note with what goes before it.
TALLYCARD_EXPORT bool verify_message(const Signature& signature,
                                     std::span<const std::uint8_t> message, const PublicKey& key);
TALLYCARD_EXPORT Signature sign_message(const KeySeed& seed, std::span<const std::uint8_t> message);
TALLYCARD_EXPORT PublicKey public_key(const KeySeed& seed);

}  // namespace tallycard::ed25519
