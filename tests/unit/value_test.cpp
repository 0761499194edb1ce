// SPDX-License-Identifier: Apache-2.0
#include <tallycard/account_id.hpp>
#include <tallycard/amount.hpp>
#include <tallycard/error.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/secret.hpp>
#include <tallycard/unit.hpp>

#include <array>
#include <set>
#include <string>

#include <catch2/catch.hpp>

using namespace tallycard;

static_assert(!std::is_convertible_v<std::int64_t, Amount>);
static_assert(!std::is_convertible_v<std::uint64_t, Balance>);
static_assert(!std::is_copy_constructible_v<CardScalar>);
static_assert(!std::is_constructible_v<CardScalar, TransportKey&&>);
static_assert(std::is_trivially_copyable_v<Error>);
static_assert(sizeof(Error) <= 24);

namespace {
const Currency euro{*Unit::from_code(978), 2};
const Currency yen{*Unit::from_code(392), 0};
}  // namespace

TEST_CASE("I8: a balance never wraps and never goes below zero", "[value][I8]")
{
    const auto full = Balance::minor_units(Balance::largest);
    CHECK_FALSE(checked_add(full, Amount::minor_units(1)));
    CHECK_FALSE(checked_add(Balance{}, Amount::minor_units(-1)));
    CHECK_FALSE(checked_add(Balance{}, Amount::minor_units(-INT64_MAX)));
    CHECK(checked_add(full, Amount::minor_units(-INT64_MAX)) == Balance{});
    CHECK(checked_add(Balance{}, Amount::minor_units(INT64_MAX)) == full);
}

TEST_CASE("amounts are typed as people write them", "[value]")
{
    const auto units = [](std::string_view text, const Currency& currency) {
        const auto amount = parse_amount(text, currency);
        return amount ? amount->to_minor_units() : -1;
    };
    CHECK(units("50.00", euro) == 5000);
    CHECK(units("50", euro) == 5000);
    CHECK(units("0.5", euro) == 50);
    CHECK(units("00.01", euro) == 1);
    CHECK(units("92233720368547758.07", euro) == INT64_MAX);
    CHECK(units("7", yen) == 7);
    for (const auto* bad : {"", "-1", "0", "0.00", "1e9", "50.001", ".5", "5.", "1,000", " 1", "+1",
                            "92233720368547758.08", "0x10", "1.2.3"}) {
        CAPTURE(bad);
        const auto amount = parse_amount(bad, euro);
        REQUIRE_FALSE(amount);
        CHECK(amount.error().code == Errc::bad_amount);
    }
    CHECK_FALSE(parse_amount("1.0", yen));
}

TEST_CASE("amounts are shown with their unit", "[value]")
{
    CHECK(to_string(Amount::minor_units(-1230), euro) == "-12.30 EUR");
    CHECK(to_string(Balance::minor_units(5), euro) == "0.05 EUR");
    CHECK(to_string(Amount::minor_units(7), yen) == "7 JPY");
    CHECK(to_string(Balance::minor_units(1), {*Unit::from_code(0x8001), 3}) == "0.001 0x8001");
    CHECK(Unit::parse("EUR") == Unit::from_code(978));
    CHECK(Unit::parse("0x8001") == Unit::from_code(0x8001));
    CHECK_FALSE(Unit::parse("1000"));
    CHECK_FALSE(Unit::parse("eur"));
}

TEST_CASE("an account is 1 to 34 printable characters", "[value]")
{
    CHECK(AccountId::parse(std::string(34, '~')));
    CHECK_FALSE(AccountId::parse(std::string(35, 'A')));
    CHECK_FALSE(AccountId::parse(""));
    CHECK_FALSE(AccountId::parse("a b"));
}

TEST_CASE("a PIN has 4 to 12 digits, and its source is erased", "[value]")
{
    for (const auto* text : {"123", "1234567890123", "12a4", ""}) {
        std::string digits = text;
        CHECK_FALSE(make_pin_block(digits));
        CHECK(digits == std::string(digits.size(), '\0'));
    }
    std::string digits = "4711";
    const auto block = make_pin_block(digits);
    REQUIRE(block);
    const std::array<std::uint8_t, 8> expected = {0x24, 0x47, 0x11, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    CHECK(std::ranges::equal(block->reveal(), expected));
    CHECK(is_pin_block(block->reveal()));
}

TEST_CASE("a secret erases what it is made from and what it is moved from", "[value]")
{
    std::array<std::uint8_t, 32> source;
    source.fill(7);
    CardScalar a(source);
    CHECK(source == std::array<std::uint8_t, 32>{});
    CardScalar b(std::move(a));
    CHECK(b.reveal()[0] == 7);
    CHECK(a.reveal()[0] == 0);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("every error has a name of its own and a message that says more", "[value]")
{
    std::set<std::string> names;
    for (int i = 0; i <= static_cast<int>(Errc::unsafe_library); ++i) {
        const auto code = static_cast<Errc>(i);
        names.insert(name(code));
        CHECK(Error{.code = code, .where = "X"}.message().size() > 6);
    }
    CHECK(names.size() == static_cast<std::size_t>(Errc::unsafe_library) + 1);
    CHECK(names.count("unknown") == 0);
    CHECK(Error{.code = Errc::balance_too_low, .sw = sw::balance_too_low, .where = "EXECUTE"}
              .message() == "EXECUTE: not enough value on the card (SW 9401)");
    CHECK(Error{.code = Errc::wrong_pin, .sw = StatusWord(0x63C2), .where = "VERIFY"}.message() ==
          "VERIFY: wrong PIN; 2 tries left");
}

TEST_CASE("value() throws the error for those who ask", "[value]")
{
    const auto fail = []() -> Result<int> {
        return Error{.code = Errc::bad_signature, .where = "EXECUTE"};
    };
    CHECK_THROWS_AS(fail().value(), ResultError);
    CHECK(Result<int>(2).and_then([](int n) -> Result<int> { return n + 1; }).value() == 3);
}
