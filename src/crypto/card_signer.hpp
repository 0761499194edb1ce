// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include <tallycard/card_result.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/operation.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>
#include <tallycard/state_statement.hpp>

namespace tallycard {

// The card's private key at work: signs with the scalar S itself (docs/protocol.md, section 4).
// P is computed from S here and is never a parameter; a signature is verified before it leaves.
// Allocates nothing.
class TALLYCARD_EXPORT CardSigner {
public:
    // `scalar` is S: below L and not zero. `nonce_secret` is z.
    CardSigner(CardScalar scalar, NonceSecret nonce_secret);

    const PublicKey& public_key() const { return public_key_; }

    // Errc::not_authentic when the signature did not verify: a fault; nothing leaves.
    Result<Signature> sign_request(const Operation& operation) const;
    Result<Signature> sign_result(const CardResult& result) const;
    Result<Signature> sign_state(const StateStatement& statement) const;

    // For the vectors: as sign_*, with the 32 fresh bytes given. `domain` is of wire::domain.
    Result<Signature> sign_with(std::string_view domain, std::span<const std::uint8_t> object,
                                std::span<const std::uint8_t, 32> fresh) const;

private:
    Result<Signature> sign(std::string_view domain, std::span<const std::uint8_t> object) const;
    CardScalar scalar_;
    NonceSecret nonce_secret_;
    PublicKey public_key_;
};

}  // namespace tallycard
