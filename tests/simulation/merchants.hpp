// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <tallycard/account_id.hpp>
#include <tallycard/signer.hpp>

#include "environment.hpp"

namespace simulation {

using namespace tallycard;

Digest digest_of(const AccountOrder& order);

// The owner of one account: has the keys, the present one and those before it. Each word that it
// gives is noted.
class Merchant {
public:
    Merchant(Environment& environment, const AccountId& account, std::uint8_t number)
        : environment_(environment), account_(account), number_(number)
    {
    }

    const AccountId& account() const { return account_; }
    // With the key that has this public half; null where the merchant has none such.
    std::shared_ptr<AccountSigner> signer(const std::optional<PublicKey>& key) const;
    // Another key, for an order that sets one.
    PublicKey make_key();
    // As somebody uses that key who stole it: nobody's word.
    std::shared_ptr<AccountSigner> stolen(const std::optional<PublicKey>& key) const;

private:
    static constexpr std::uint8_t most_keys = 20;
    KeySeed seed(std::uint8_t key) const;

    Environment& environment_;
    AccountId account_;
    std::uint8_t number_, keys_ = 0;
};

}  // namespace simulation
