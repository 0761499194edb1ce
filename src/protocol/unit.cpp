// SPDX-License-Identifier: Apache-2.0
#include <tallycard/unit.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace tallycard {
namespace {

struct Named {
    std::uint16_t code;
    const char* letters;
};

// ISO 4217, active currencies that cards are likely to hold. Any other code prints as a number.
constexpr std::array named = {
    Named{32, "ARS"},  Named{36, "AUD"},  Named{48, "BHD"},  Named{50, "BDT"},  Named{124, "CAD"},
    Named{144, "LKR"}, Named{152, "CLP"}, Named{156, "CNY"}, Named{170, "COP"}, Named{188, "CRC"},
    Named{203, "CZK"}, Named{208, "DKK"}, Named{214, "DOP"}, Named{230, "ETB"}, Named{320, "GTQ"},
    Named{344, "HKD"}, Named{348, "HUF"}, Named{352, "ISK"}, Named{356, "INR"}, Named{360, "IDR"},
    Named{376, "ILS"}, Named{388, "JMD"}, Named{392, "JPY"}, Named{398, "KZT"}, Named{400, "JOD"},
    Named{404, "KES"}, Named{410, "KRW"}, Named{414, "KWD"}, Named{446, "MOP"}, Named{458, "MYR"},
    Named{484, "MXN"}, Named{504, "MAD"}, Named{512, "OMR"}, Named{524, "NPR"}, Named{554, "NZD"},
    Named{566, "NGN"}, Named{578, "NOK"}, Named{586, "PKR"}, Named{604, "PEN"}, Named{608, "PHP"},
    Named{634, "QAR"}, Named{643, "RUB"}, Named{682, "SAR"}, Named{702, "SGD"}, Named{704, "VND"},
    Named{710, "ZAR"}, Named{752, "SEK"}, Named{756, "CHF"}, Named{764, "THB"}, Named{784, "AED"},
    Named{788, "TND"}, Named{818, "EGP"}, Named{826, "GBP"}, Named{834, "TZS"}, Named{840, "USD"},
    Named{858, "UYU"}, Named{860, "UZS"}, Named{901, "TWD"}, Named{936, "GHS"}, Named{941, "RSD"},
    Named{946, "RON"}, Named{949, "TRY"}, Named{952, "XOF"}, Named{975, "BGN"}, Named{978, "EUR"},
    Named{980, "UAH"}, Named{981, "GEL"}, Named{985, "PLN"}, Named{986, "BRL"}, Named{999, "XXX"},
};

template <class T>
bool parse_whole(std::string_view text, T& value, int base = 10)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

bool all_digits(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string format(bool negative, std::uint64_t magnitude, const Currency& currency)
{
    auto digits = std::to_string(magnitude);
    const std::size_t decimals = currency.exponent;
    if (decimals > 0) {
        if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
        digits.insert(digits.size() - decimals, 1, '.');
    }
    return (negative ? "-" : "") + digits + ' ' + currency.unit.to_string();
}

}  // namespace

std::optional<Unit> Unit::parse(std::string_view text)
{
    for (const auto& n : named)
        if (text == n.letters) return Unit(n.code);
    std::uint16_t code = 0;
    const bool hex = text.starts_with("0x");
    if (!parse_whole(hex ? text.substr(2) : text, code, hex ? 16 : 10)) return std::nullopt;
    return from_code(code);
}

std::string Unit::to_string() const
{
    for (const auto& n : named)
        if (code_ == n.code) return n.letters;
    char text[8];
    std::snprintf(text, sizeof text, code_ >= 0x8000 ? "0x%04X" : "%03d", code_);
    return text;
}

Result<Amount> parse_amount(std::string_view text, const Currency& currency)
{
    const Error bad{.code = Errc::bad_amount, .where = "amount"};
    const auto point = text.find('.');
    const auto whole = text.substr(0, point);
    const auto decimals = point == std::string_view::npos ? "" : text.substr(point + 1);
    if (whole.empty() || !all_digits(whole) || !all_digits(decimals)) return bad;
    if (point != std::string_view::npos && decimals.empty()) return bad;
    if (decimals.size() > currency.exponent) return bad;

    std::string digits(whole);
    digits += decimals;
    digits.append(currency.exponent - decimals.size(), '0');
    std::int64_t units = 0;
    if (!parse_whole(std::string_view(digits), units) || units == 0) return bad;
    return Amount::minor_units(units);
}

std::string to_string(Amount amount, const Currency& currency)
{
    return format(amount < Amount{}, amount.magnitude(), currency);
}

std::string to_string(Balance balance, const Currency& currency)
{
    return format(false, balance.to_minor_units(), currency);
}

}  // namespace tallycard
