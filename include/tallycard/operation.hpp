// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <variant>

#include <tallycard/account_id.hpp>
#include <tallycard/amount.hpp>
#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/kind.hpp>
#include <tallycard/limits.hpp>
#include <tallycard/result.hpp>
#include <tallycard/unit.hpp>

namespace tallycard {

// What an administrative operation sets: nothing, the limits (set limits), or the operation public
// key (replace operation key). Field 89.
using Parameter = std::variant<std::monostate, Limits, PublicKey>;

// One operation on one card: object E1 of docs/protocol.md. A value type; no allocation.
struct Operation {
    static constexpr std::size_t max_encoded = 100;

    Kind kind = Kind::cancel;
    CardId card_id;
    std::uint32_t sequence = 0;
    Amount amount;
    Unit unit;
    Nonce nonce;
    // The account; of a top-up or a cash-out the terminal whose cash moves. Field 87.
    std::optional<AccountId> account;
    Parameter parameter;

    // Whether section 2 and 3 admit these fields together.
    TALLYCARD_EXPORT bool valid() const;

    // Requires valid(). The one encoding, tag and length included.
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    // SHA-256 of encode(). Requires valid().
    TALLYCARD_EXPORT Digest digest() const;

    // Strict: takes exactly the bytes that encode() makes, else Errc::malformed with the offset.
    TALLYCARD_EXPORT static Result<Operation> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const Operation&, const Operation&) = default;
};

}  // namespace tallycard
