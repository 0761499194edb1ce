// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>

#include <tallycard/contract.hpp>

namespace tallycard {

// What a balance changes by, in minor units: positive adds to the card, negative takes away.
// Does not mix with plain integers; −2^63 does not exist (docs/protocol.md, field 84).
class Amount {
public:
    constexpr Amount() = default;

    // Requires n > −2^63.
    static constexpr Amount minor_units(std::int64_t n)
    {
        TALLYCARD_EXPECTS(n != std::numeric_limits<std::int64_t>::min());
        return Amount(n);
    }

    constexpr std::int64_t to_minor_units() const { return units_; }
    constexpr Amount operator-() const { return Amount(-units_); }
    constexpr std::uint64_t magnitude() const
    {
        return static_cast<std::uint64_t>(units_ < 0 ? -units_ : units_);
    }

    friend constexpr auto operator<=>(Amount, Amount) = default;

private:
    explicit constexpr Amount(std::int64_t n) : units_(n) {}
    std::int64_t units_ = 0;
};

// What a card holds, or may hold at most, in minor units: 0 to 2^63−1.
class Balance {
public:
    static constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

    constexpr Balance() = default;

    // Requires n ≤ 2^63−1.
    static constexpr Balance minor_units(std::uint64_t n)
    {
        TALLYCARD_EXPECTS(n <= largest);
        return Balance(n);
    }

    constexpr std::uint64_t to_minor_units() const { return units_; }

    // The balance after `change`. Empty when it would be below zero or above 2^63−1.
    friend constexpr std::optional<Balance> checked_add(Balance balance, Amount change)
    {
        const auto size = change.magnitude();
        if (change < Amount{}) {
            if (size > balance.units_) return std::nullopt;
            return Balance(balance.units_ - size);
        }
        if (size > largest - balance.units_) return std::nullopt;
        return Balance(balance.units_ + size);
    }

    friend constexpr auto operator<=>(Balance, Balance) = default;

private:
    explicit constexpr Balance(std::uint64_t n) : units_(n) {}
    std::uint64_t units_ = 0;
};

}  // namespace tallycard
