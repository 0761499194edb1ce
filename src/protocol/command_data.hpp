// SPDX-License-Identifier: Apache-2.0
// Command and response data that are fields with no template around them (docs/protocol.md, 5).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

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

// Data of REQUEST: 84 85 87.
struct RequestData {
    Amount amount;
    Unit unit;
    AccountId account;

    TALLYCARD_EXPORT Encoded<52> encode() const;
    // Requires needs_request(kind), P1; the amount's sign must be its.
    TALLYCARD_EXPORT static Result<RequestData> decode(std::span<const std::uint8_t> bytes,
                                                       Kind kind);
};

// Data of PAY: 84 85 86 87.
struct PayData {
    Amount amount;
    Unit unit;
    Nonce nonce;
    AccountId payee;

    TALLYCARD_EXPORT Encoded<70> encode() const;
    TALLYCARD_EXPORT static Result<PayData> decode(std::span<const std::uint8_t> bytes);
};

// Field 92, 34 bytes.
TALLYCARD_EXPORT std::array<std::uint8_t, 34> encode_limits(const Limits& limits);
TALLYCARD_EXPORT std::optional<Limits> decode_limits(std::span<const std::uint8_t, 34> bytes);

// Response of GET DATA: 92 83 8B.
TALLYCARD_EXPORT Encoded<52> encode_limits_use(const LimitsUse& use);
TALLYCARD_EXPORT Result<LimitsUse> decode_limits_use(std::span<const std::uint8_t> bytes);

}  // namespace tallycard
