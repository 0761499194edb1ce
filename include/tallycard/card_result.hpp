// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/amount.hpp>
#include <tallycard/card_state.hpp>
#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// What an operation did to a card: object E2 of docs/protocol.md. Results of one card form a chain
// by previous_result. A value type; no allocation.
struct CardResult {
    static constexpr std::size_t max_encoded = 110;

    CardId card_id;
    std::uint32_t sequence = 0;
    Digest operation;                          // of the operation that was executed
    Balance balance;                           // after it
    Digest previous_result;                    // zeros for the first
    CardState state = CardState::operational;  // after it; never blank

    TALLYCARD_EXPORT bool valid() const;
    // Requires valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    TALLYCARD_EXPORT Digest digest() const;
    // Strict, as Operation::decode.
    TALLYCARD_EXPORT static Result<CardResult> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const CardResult&, const CardResult&) = default;
};

}  // namespace tallycard
