// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/entry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/result.hpp>
#include <tallycard/state_statement.hpp>

// Everything that anybody can check with public keys alone (docs/protocol.md, section 4). One
// rule everywhere: Ed25519, strict, without the cofactor. All functions are pure and thread-safe;
// a signature that does not verify is Errc::bad_signature.
namespace tallycard {

// Whether these bytes are the canonical encoding of a point of the prime-order group.
TALLYCARD_EXPORT bool is_valid(const PublicKey& key) noexcept;
TALLYCARD_EXPORT bool is_valid(const Certificate& certificate) noexcept;

// The public key of a card, P = R + h·A, from the issuer's card root public key A, the card id and
// the card's certificate R. Errc::bad_signature when A or R is not valid, or P of small order.
TALLYCARD_EXPORT Result<PublicKey> derive_card_public_key(const PublicKey& card_root,
                                                          const CardId& card_id,
                                                          const Certificate& certificate);

TALLYCARD_EXPORT Result<void> verify(const FirstInstruction& first, const PublicKey& operation_key);
TALLYCARD_EXPORT Result<void> verify(const SecondInstruction& second, const PublicKey& card_key);
TALLYCARD_EXPORT Result<void> verify(const Receipt& receipt, const PublicKey& card_key);
TALLYCARD_EXPORT Result<void> verify(const StateStatement& statement, const Signature& signature,
                                     const PublicKey& card_key);

// Words of an account's owner to the issuer with this card root key: to a transfer in, or an order.
TALLYCARD_EXPORT Result<void> verify_consent(const Operation& operation, const Signature& consent,
                                             const PublicKey& card_root,
                                             const PublicKey& account_key);
TALLYCARD_EXPORT Result<void> verify_owner(const AccountOrder& order, const Signature& owner,
                                           const PublicKey& card_root,
                                           const PublicKey& account_key);
// The issuer's signature alone.
TALLYCARD_EXPORT Result<void> verify(const AccountRecord& record, const PublicKey& operation_key);
TALLYCARD_EXPORT Result<void> verify(const Gap& gap, const PublicKey& operation_key);

// Refuses to go on (Errc::unsafe_library) when the libsodium in use cannot be initialised or takes
// a point with a small-order component for a valid one (CVE-2025-69277). Every entry point of the
// library that needs it calls it; it does its work once.
TALLYCARD_EXPORT Result<void> self_test() noexcept;

}  // namespace tallycard
