// SPDX-License-Identifier: Apache-2.0
// The second half of a card key's derivation (docs/protocol.md, section 4): from the card root
// key's signature, wherever that was made.
#pragma once

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>
#include <tallycard/signer.hpp>

#include "ed25519.hpp"

namespace tallycard {

// Errc::bad_signature unless `signature` is root's over the card id and S·B = R + h·A.
TALLYCARD_EXPORT Result<CardKey> card_key_from(const ed25519::SecretSignature& signature,
                                               const PublicKey& root, const CardId& card_id);

}  // namespace tallycard
