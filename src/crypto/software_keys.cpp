// SPDX-License-Identifier: Apache-2.0
#include "software_keys.hpp"

#include <tallycard/verify.hpp>

#include <algorithm>
#include <array>

#include <sodium/crypto_scalarmult_ed25519.h>

#include "../protocol/group.hpp"
#include "../protocol/wire.hpp"
#include "ed25519.hpp"

namespace tallycard {

OperationSigner::~OperationSigner() = default;
CardRoot::~CardRoot() = default;

SoftwareOperationSigner::SoftwareOperationSigner(KeySeed seed)
    : seed_(std::move(seed)), public_key_(ed25519::public_key(seed_))
{
}

Result<Signature> SoftwareOperationSigner::sign(const Operation& operation)
{
    if (auto safe = self_test(); !safe) return safe.error();
    return ed25519::sign(seed_, wire::domain::operation, operation.encode());
}

SoftwareCardRoot::SoftwareCardRoot(KeySeed seed)
    : seed_(std::move(seed)), public_key_(ed25519::public_key(seed_))
{
}

Result<CardKey> SoftwareCardRoot::derive(const CardId& card_id)
{
    if (auto safe = self_test(); !safe) return safe.error();
    const Error broken{.code = Errc::bad_signature, .where = "card key derivation"};
    const auto signature = ed25519::sign(seed_, wire::domain::card_key, card_id.bytes());
    if (!ed25519::verify(signature, wire::domain::card_key, card_id.bytes(), public_key_))
        return broken;

    const Certificate certificate(signature.bytes().first<Certificate::size>());
    std::array<std::uint8_t, CardScalar::size> bytes;
    std::ranges::copy(signature.bytes().last<CardScalar::size>(), bytes.begin());
    CardScalar scalar(bytes);
    const auto key = derive_card_public_key(public_key_, card_id, certificate);
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
