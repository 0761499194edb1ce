// SPDX-License-Identifier: Apache-2.0
#include "software_keys.hpp"

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
    return card_key_from(ed25519::sign_secret(seed_, wire::domain::card_key, card_id.bytes()),
                         public_key_, card_id);
}

}  // namespace tallycard
