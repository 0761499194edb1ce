// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tallycard/amount.hpp>
#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// What an amount counts: an ISO 4217 numeric code (1–999), or a code of the issuer's own
// (0x8000–0xFFFF: points, rides, kWh). A default Unit is 999, ISO 4217's "no currency".
class Unit {
public:
    constexpr Unit() = default;

    static constexpr std::optional<Unit> from_code(std::uint16_t code)
    {
        if ((code >= 1 && code <= 999) || code >= 0x8000) return Unit(code);
        return std::nullopt;
    }
    // "EUR", "978" or "0x8001".
    TALLYCARD_EXPORT static std::optional<Unit> parse(std::string_view text);

    constexpr std::uint16_t code() const { return code_; }
    // "EUR" where we know the letters of the code, else "978" or "0x8001".
    TALLYCARD_EXPORT std::string to_string() const;

    friend constexpr auto operator<=>(Unit, Unit) = default;

private:
    explicit constexpr Unit(std::uint16_t code) : code_(code) {}
    std::uint16_t code_ = 999;
};

// A unit and how many decimal digits people write after the point: how amounts read and print.
struct Currency {
    Unit unit;
    std::uint8_t exponent = 0;  // 0 to 18 can be printed; the protocol carries 0 to 255

    friend constexpr bool operator==(const Currency&, const Currency&) = default;
};

// Reads what people type: "50", "50.00", "0.5". No sign, no exponent, no thousands separator; more
// decimals than the currency has, or an amount that is zero or above 2^63−1, is Errc::bad_amount.
TALLYCARD_EXPORT Result<Amount> parse_amount(std::string_view text, const Currency& currency);

// "50.00 EUR", "-12.30 EUR".
TALLYCARD_EXPORT std::string to_string(Amount amount, const Currency& currency);
TALLYCARD_EXPORT std::string to_string(Balance balance, const Currency& currency);

}  // namespace tallycard
