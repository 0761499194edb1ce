// SPDX-License-Identifier: Apache-2.0
#include "software_keys.hpp"

#include <array>

#include <sodium/randombytes.h>
#include <sodium/utils.h>

#include <tallycard/verify.hpp>

#include "../protocol/wire.hpp"
#include "card_derivation.hpp"
#include "ed25519.hpp"

namespace tallycard {

OperationSigner::~OperationSigner() = default;
NoteSigner::~NoteSigner() = default;
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
    std::array<std::uint8_t, 32> fresh;
    randombytes_buf(fresh.data(), fresh.size());
    const auto signature =
        ed25519::sign_secret(seed_, fresh, wire::domain::card_key, card_id.bytes());
    sodium_memzero(fresh.data(), fresh.size());
    return card_key_from(signature, public_key_, card_id);
}

}  // namespace tallycard
