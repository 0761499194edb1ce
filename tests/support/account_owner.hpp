// SPDX-License-Identifier: Apache-2.0
// The owner of accounts, and what it orders.
#pragma once

#include <array>
#include <cstdint>

#include <tallycard/issuer_client.hpp>
#include <tallycard/issuer_description.hpp>

#include "crypto/software_keys.hpp"
#include "simulated_card.hpp"

namespace tallycard::test {

inline KeySeed seed(std::uint8_t n)
{
    std::array<std::uint8_t, KeySeed::size> bytes{};
    bytes.fill(n);
    return KeySeed(bytes);
}

template <class T>
T id_of(std::uint32_t n)
{
    std::array<std::uint8_t, T::size> bytes{};
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(n >> (24 - 8 * i));
    return T(bytes);
}

// The one owner of all accounts that tests open.
inline SoftwareAccountSigner account_owner()
{
    return SoftwareAccountSigner(seed(9));
}

// An order for the account as it stands, signed by account_owner() where the kind wants that.
inline SignedOrder account_order(IssuerClient& issuer, const IssuerDescription& description,
                                 OrderKind kind, const AccountId& account, std::int64_t amount = 0,
                                 const char* other = nullptr)
{
    static std::uint32_t orders = 0;
    const auto standing = issuer.account_standing(account);
    auto owner = account_owner();
    AccountOrder order{.kind = kind,
                       .account = account,
                       .number = (standing ? standing->number : 0) + 1,
                       .amount = Amount::minor_units(amount),
                       .unit = description.currency.unit,
                       .id = id_of<OperationId>(0x0A000000 + ++orders)};
    if (other != nullptr) order.other = account_id(other);
    if (sets_key(kind)) order.key = owner.public_key();
    if (needs_reference(kind)) order.reference = Reference::parse("case 1");
    SignedOrder made{order, std::nullopt};
    if (order.valid() && needs_owner(kind))
        made.owner = owner.sign(description.card_root, order).value();
    return made;
}

inline Result<ExecutedOrder> open_account(IssuerClient& issuer,
                                          const IssuerDescription& description,
                                          const AccountId& account)
{
    return issuer.execute(account_order(issuer, description, OrderKind::open, account));
}

}  // namespace tallycard::test
