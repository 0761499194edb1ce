// SPDX-License-Identifier: Apache-2.0
#include "merchants.hpp"

#include "../../src/crypto/software_keys.hpp"
#include "../../src/protocol/digest.hpp"
#include "platform_host.hpp"

namespace simulation {
namespace {

class WatchedOwner final : public AccountSigner {
public:
    WatchedOwner(Environment& environment, KeySeed seed)
        : environment_(environment), signer_(std::move(seed))
    {
    }
    PublicKey public_key() const override { return signer_.public_key(); }
    Result<Signature> consent(const PublicKey& card_root, const Operation& operation) override
    {
        environment_.words.emplace(public_key(), operation.digest());
        return signer_.consent(card_root, operation);
    }
    Result<Signature> sign(const PublicKey& card_root, const AccountOrder& order) override
    {
        environment_.words.emplace(public_key(), digest_of(order));
        return signer_.sign(card_root, order);
    }

private:
    Environment& environment_;
    SoftwareAccountSigner signer_;
};

}  // namespace

Digest digest_of(const AccountOrder& order)
{
    return sha256(order.encode());
}

KeySeed Merchant::seed(std::uint8_t key) const
{
    return key_seed(static_cast<std::uint8_t>(100 + number_ * most_keys + key));
}

std::shared_ptr<AccountSigner> Merchant::signer(const std::optional<PublicKey>& key) const
{
    for (std::uint8_t i = 0; i < keys_; ++i) {
        auto owner = std::make_shared<WatchedOwner>(environment_, seed(i));
        if (owner->public_key() == key) return owner;
    }
    return nullptr;
}

PublicKey Merchant::make_key()
{
    if (keys_ < most_keys) ++keys_;
    return SoftwareAccountSigner(seed(static_cast<std::uint8_t>(keys_ - 1))).public_key();
}

std::shared_ptr<AccountSigner> Merchant::stolen(const std::optional<PublicKey>& key) const
{
    for (std::uint8_t i = 0; i < keys_; ++i) {
        auto thief = std::make_shared<SoftwareAccountSigner>(seed(i));
        if (thief->public_key() == key) return thief;
    }
    return nullptr;
}

}  // namespace simulation
