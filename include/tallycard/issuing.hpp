// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <tallycard/card_info.hpp>
#include <tallycard/card_registry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/limits.hpp>
#include <tallycard/observer.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>
#include <tallycard/signer.hpp>

namespace tallycard {

// What a blank card is to become.
struct CardOrder {
    std::optional<CardId> card_id;  // absent: a random one
    Limits limits;
    bool private_balance = false;   // needs a PIN
    const PinBlock* pin = nullptr;  // null: a card without a PIN
};

// Makes a blank card one of this issuer's: derives its key, seals the personalisation with the
// card's own transport key, registers both, sends the sealed command, and checks that the card now
// is that card. The card's private key is nowhere but in the sealed command, which the registry
// keeps until the card is confirmed.
//
// Safe to repeat: after a lost answer or a crash, the same transport key finds its card again,
// whether that has been personalised or is still blank, and goes on with the same key.
// Errc::conflict when the id is another card's already, or the card was ordered with other limits
// or another PIN; Errc::transport_key_used when another card was made with this transport key.
TALLYCARD_EXPORT Result<CardInfo> issue_card(CardRegistry& registry, CardRoot& root, CardLink& card,
                                             const TransportKey& transport_key,
                                             const CardOrder& order, Observer* observer = nullptr);

}  // namespace tallycard
