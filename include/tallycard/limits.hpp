// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <tallycard/amount.hpp>

namespace tallycard {

// What a card enforces by itself (docs/protocol.md, field 92). All amounts in minor units.
struct Limits {
    static constexpr std::uint16_t most_offline_payments = 15;  // the log keeps 16 operations

    Balance maximum_balance;
    Balance maximum_amount;              // of one operation, either way
    Balance pin_above;                   // a debit of more than this needs the PIN
    std::uint16_t offline_payments = 0;  // in a row, at most most_offline_payments
    Balance offline_total;               // and what they may sum up to

    constexpr bool valid() const { return offline_payments <= most_offline_payments; }
    friend constexpr bool operator==(const Limits&, const Limits&) = default;
};

// What GET DATA answers: the limits, and how much of the offline ones is used.
struct LimitsUse {
    Limits limits;
    std::uint32_t offline_payments = 0;  // since the last operation that the issuer signed
    Balance offline_total;
};

}  // namespace tallycard
