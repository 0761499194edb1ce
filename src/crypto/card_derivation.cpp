// SPDX-License-Identifier: Apache-2.0
#include "card_derivation.hpp"

#include <tallycard/verify.hpp>

#include <algorithm>
#include <array>

#include <sodium/crypto_scalarmult_ed25519.h>

#include "../protocol/group.hpp"
#include "../protocol/wire.hpp"

namespace tallycard {

Result<CardKey> card_key_from(const ed25519::SecretSignature& signature, const PublicKey& root,
                              const CardId& card_id)
{
    const Error broken{.code = Errc::bad_signature, .where = "card key derivation"};
    if (!ed25519::verify(signature, wire::domain::card_key, card_id.bytes(), root)) return broken;

    const Certificate certificate(signature.reveal().first<Certificate::size>());
    std::array<std::uint8_t, CardScalar::size> bytes;
    std::ranges::copy(signature.reveal().last<CardScalar::size>(), bytes.begin());
    CardScalar scalar(bytes);
    const auto key = derive_card_public_key(root, card_id, certificate);
    if (!key) return key.error();

    // The card's side of the same key: S·B, not clamped.
    std::array<std::uint8_t, PublicKey::size> point;
    if (!is_valid_scalar(scalar.reveal()) ||
        crypto_scalarmult_ed25519_base_noclamp(point.data(), scalar.reveal().data()) != 0 ||
        PublicKey(point) != *key)
        return broken;
    return CardKey{std::move(scalar), certificate, *key};
}

}  // namespace tallycard
