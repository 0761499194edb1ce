// SPDX-License-Identifier: Apache-2.0
// Messages about accounts that their owners and the issuer sign (docs/accounts.md, section 2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <tallycard/entry.hpp>
#include <tallycard/fixed_bytes.hpp>

#include "../protocol/wire.hpp"
#include "signed_message.hpp"

namespace tallycard {

using SignedObject = Encoded<SignedMessage::max_object>;

// An owner's word to this issuer, and to no other.
template <class T>
SignedObject word_to(const PublicKey& card_root, const T& object)
{
    SignedObject message(card_root.bytes());
    message.append(object.encode());
    return message;
}

// An order as the issuer signs it, with the owner's signature where there is one.
inline SignedObject issuers_part(const AccountOrder& order, const std::optional<Signature>& owner)
{
    SignedObject message(order.encode());
    if (!owner) return message;
    constexpr std::array<std::uint8_t, 2> header = {wire::tag::owner_signature, Signature::size};
    message.append(header);
    message.append(owner->bytes());
    return message;
}

}  // namespace tallycard
