// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/limits.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store_rows.hpp>

namespace tallycard {

// A card that is about to be personalised.
struct NewCard {
    CardId card_id;
    Certificate certificate;
    PublicKey public_key;
    Digest transport_key;  // SHA-256 of it
    Limits limits;         // as in the personalisation
    SealedPersonalisation sealed;
};

// A card that was registered. The sealed personalisation is kept until the card is confirmed, so
// that an interrupted issuing goes on with the same card.
struct RegisteredCard {
    CardRow row;
    std::optional<SealedPersonalisation> sealed;  // absent once it is confirmed
};

// What issuing a card needs of the issuer's platform: see issue_card(). A seam: in process, or over
// a network. Every call is safe to repeat. Implementations say whether they are thread-safe.
class TALLYCARD_EXPORT CardRegistry {
public:
    virtual ~CardRegistry();

    virtual Result<IssuerDescription> description() = 0;

    // A card that is registered again as it was is no error, until it was confirmed. Opens the
    // holder's account. Errc::conflict where the id, or the transport key, is another card's.
    virtual Result<void> register_card(const NewCard& card) = 0;
    virtual Result<void> confirm_card(const CardId& card_id) = 0;
    virtual Result<std::optional<RegisteredCard>> card_of_transport_key(const Digest& digest) = 0;
};

}  // namespace tallycard
