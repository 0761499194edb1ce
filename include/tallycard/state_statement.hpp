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
#include <tallycard/unit.hpp>

namespace tallycard {

// Where a card says it stands, freshly signed: object E3 of docs/protocol.md. It proves that the
// card is genuine and present; it never proves that a pending operation will not execute later.
struct StateStatement {
    static constexpr std::size_t max_encoded = 98;

    CardId card_id;
    std::uint32_t sequence = 0;  // operations executed so far
    Unit unit;
    Balance balance;
    Digest last_result;                        // zeros before the first
    CardState state = CardState::operational;  // never blank
    Challenge challenge;

    TALLYCARD_EXPORT bool valid() const;
    // Requires valid().
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    // Strict, as Operation::decode.
    TALLYCARD_EXPORT static Result<StateStatement> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const StateStatement&, const StateStatement&) = default;
};

}  // namespace tallycard
