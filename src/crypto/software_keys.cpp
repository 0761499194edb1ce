// SPDX-License-Identifier: Apache-2.0
#include "software_keys.hpp"

#include <array>

#include <sodium/randombytes.h>
#include <sodium/utils.h>

#include <tallycard/verify.hpp>

#include "../protocol/wire.hpp"
#include "account_messages.hpp"
#include "card_derivation.hpp"
#include "ed25519.hpp"

namespace tallycard {

OperationSigner::~OperationSigner() = default;
AccountSigner::~AccountSigner() = default;
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

Result<Signature> SoftwareOperationSigner::sign(const AccountOrder& order,
                                                const std::optional<Signature>& owner)
{
    if (auto safe = self_test(); !safe) return safe.error();
    return ed25519::sign(seed_, wire::domain::account_record, issuers_part(order, owner));
}

Result<Signature> SoftwareOperationSigner::sign(const Gap& gap)
{
    if (auto safe = self_test(); !safe) return safe.error();
    return ed25519::sign(seed_, wire::domain::gap, gap.signed_fields());
}

SoftwareAccountSigner::SoftwareAccountSigner(KeySeed seed)
    : seed_(std::move(seed)), public_key_(ed25519::public_key(seed_))
{
}

Result<Signature> SoftwareAccountSigner::consent(const PublicKey& card_root,
                                                 const Operation& operation)
{
    if (auto safe = self_test(); !safe) return safe.error();
    return ed25519::sign(seed_, wire::domain::consent, word_to(card_root, operation));
}

Result<Signature> SoftwareAccountSigner::sign(const PublicKey& card_root, const AccountOrder& order)
{
    if (auto safe = self_test(); !safe) return safe.error();
    return ed25519::sign(seed_, wire::domain::account_order, word_to(card_root, order));
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
