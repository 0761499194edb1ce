// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/amount.hpp>
#include <tallycard/card_state.hpp>
#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>
#include <tallycard/unit.hpp>

namespace tallycard {

// What a card says of itself when it is selected: the FCI of docs/protocol.md, section 5. Not
// signed: good for showing and for finding out what to do next, never for believing.
struct CardInfo {
    static constexpr std::size_t max_encoded = 133;

    CardState state = CardState::blank;  // blank: nothing of what follows is there
    CardId card_id;
    std::uint32_t sequence = 0;  // operations executed
    Currency currency;
    std::optional<Balance> balance;  // absent where the balance is private
    Digest last_result;              // zeros before the first operation
    Certificate certificate;

    // The complete FCI template (tag 6F).
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    // Strict, as Operation::decode.
    TALLYCARD_EXPORT static Result<CardInfo> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const CardInfo&, const CardInfo&) = default;
};

}  // namespace tallycard
