// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include <tallycard/account_order.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/operation.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

// Holds the issuer's operation key. A seam: a key file and an HSM implement it.
//
// It signs operations, account orders and gaps, built here from typed fields, and nothing else.
// Thread-safe.
class TALLYCARD_EXPORT OperationSigner {
public:
    virtual ~OperationSigner();
    virtual PublicKey public_key() const = 0;
    // Requires operation.valid().
    virtual Result<Signature> sign(const Operation& operation) = 0;
    // Requires order.valid(). `owner`: the owner's signature, where the kind has one.
    virtual Result<Signature> sign(const AccountOrder& order,
                                   const std::optional<Signature>& owner) = 0;
    // Of all fields but the signature.
    virtual Result<Signature> sign(const Gap& gap) = 0;
};

// Holds the key of an associated account: the merchant's, never the issuer's. A seam: a key file
// and a token implement it. Its word is to one issuer, whose card root public key is signed with
// it. Thread-safe.
class TALLYCARD_EXPORT AccountSigner {
public:
    virtual ~AccountSigner();
    virtual PublicKey public_key() const = 0;
    // To a transfer in, as the card asked for it. Requires operation.valid().
    virtual Result<Signature> consent(const PublicKey& card_root, const Operation& operation) = 0;
    // Requires order.valid().
    virtual Result<Signature> sign(const PublicKey& card_root, const AccountOrder& order) = 0;
};

// Holds the issuer's checkpoint key. A seam. Thread-safe.
class TALLYCARD_EXPORT NoteSigner {
public:
    virtual ~NoteSigner();
    virtual PublicKey public_key() const = 0;
    // The text of a note: 1 to 256 bytes that end in a newline. CheckpointKey asks for it.
    virtual Result<Signature> sign(std::string_view text) = 0;
};

// What the card root key makes for one card: its private scalar and its public certificate.
struct CardKey {
    CardScalar scalar;        // S: goes into the sealed personalisation and nowhere else
    Certificate certificate;  // R
    PublicKey public_key;     // P
};

// Holds the issuer's card root key; offline when the issuer is not issuing. A seam. Thread-safe.
class TALLYCARD_EXPORT CardRoot {
public:
    virtual ~CardRoot();
    virtual PublicKey public_key() const = 0;
    // The returned key has been verified from both sides. A key in software draws a fresh nonce, so
    // that each call makes another key for the card: what is not kept is gone. A token's signature,
    // and so the key that it makes for a card id, is always the same.
    virtual Result<CardKey> derive(const CardId& card_id) = 0;
};

}  // namespace tallycard
