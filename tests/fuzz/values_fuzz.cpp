// SPDX-License-Identifier: Apache-2.0
// Small values as people and files write them: what is read is written the same way again, or, for
// amounts, means the same. The first byte says which value it is.
#include <array>
#include <string>

#include <tallycard/account_id.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/kind.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/pin.hpp>
#include <tallycard/unit.hpp>

#include "fuzz.hpp"
#include "input.hpp"

using namespace tallycard;

namespace {

void amount(fuzz::Input& input)
{
    const auto unit = Unit::from_code(static_cast<std::uint16_t>(input.number(2)));
    const Currency currency{.unit = unit.value_or(Unit{}), .exponent = input.byte()};
    const auto text = fuzz::text(input.rest());
    const auto read = parse_amount(text, currency);
    if (!read) {
        FUZZ_CHECK(read.error().code == Errc::bad_amount);
        return;
    }
    FUZZ_CHECK(*read > Amount{});
    const auto written = to_string(*read, currency);
    const auto blank = written.find(' ');
    FUZZ_CHECK(written.substr(blank + 1) == currency.unit.to_string());
    const auto again = parse_amount(written.substr(0, blank), currency);
    FUZZ_CHECK(again && *again == *read);
    FUZZ_CHECK(to_string(-*read, currency) == "-" + written);
    FUZZ_CHECK(to_string(Balance::minor_units(read->magnitude()), currency) == written);
}

void unit(fuzz::Input& input)
{
    const auto code = Unit::from_code(static_cast<std::uint16_t>(input.number(2)));
    if (code) FUZZ_CHECK(Unit::parse(code->to_string()) == *code);
    const auto read = Unit::parse(fuzz::text(input.rest()));
    if (read) FUZZ_CHECK(Unit::parse(read->to_string()) == *read);
}

void account(fuzz::Input& input)
{
    const auto text = fuzz::text(input.rest());
    const auto read = AccountId::parse(text);
    if (read) FUZZ_CHECK(read->text() == text && AccountId::parse(read->bytes()) == *read);
    if (read) FUZZ_CHECK(!text.empty() && text.size() <= AccountId::max_size);
}

void hex(fuzz::Input& input)
{
    const auto text = fuzz::text(input.rest());
    const auto read = CardId::parse(text);
    if (read) FUZZ_CHECK(read->to_string() == text);
    const auto digest = Digest::parse(text);
    if (digest) FUZZ_CHECK(digest->to_string() == text);
}

void pin(fuzz::Input& input)
{
    const auto given = input.rest();
    std::string digits(fuzz::text(given));
    const auto block = make_pin_block(digits);
    FUZZ_CHECK(digits == std::string(digits.size(), '\0'));
    if (!block) {
        FUZZ_CHECK(block.error().code == Errc::malformed);
        return;
    }
    FUZZ_CHECK(given.size() >= min_pin_digits && given.size() <= max_pin_digits);
    FUZZ_CHECK(is_pin_block(block->reveal()));
    FUZZ_CHECK(block->reveal()[0] == (0x20 | given.size()));
}

void pin_block(fuzz::Input& input)
{
    const auto given = input.bytes(8);
    if (given.size() != 8 || !is_pin_block(given.first<8>())) return;
    std::string digits;
    const std::size_t count = given[0] & 0x0F;
    for (std::size_t i = 2; i < 2 + count; ++i)
        digits += static_cast<char>('0' + (i % 2 == 0 ? given[i / 2] >> 4 : given[i / 2] & 0x0F));
    const auto made = make_pin_block(digits);
    FUZZ_CHECK(made && std::ranges::equal(made->reveal(), given));
}

void passphrase(fuzz::Input& input)
{
    const auto given = input.rest();
    std::string characters(fuzz::text(given));
    auto taken = Passphrase::take(characters);
    FUZZ_CHECK(characters == std::string(characters.size(), '\0'));
    FUZZ_CHECK(taken.has_value() == (!given.empty() && given.size() <= Passphrase::max_size));
    if (taken) FUZZ_CHECK(std::ranges::equal(taken->reveal(), given));
}

void kind(fuzz::Input& input)
{
    const auto byte = input.byte();
    const auto read = kind_from_byte(byte);
    if (!read) return;
    FUZZ_CHECK(static_cast<std::uint8_t>(*read) == byte && name(*read)[0] != '\0');
}

constexpr std::array all = {amount, unit, account, hex, pin, pin_block, passphrase, kind};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    all[input.below(all.size())](input);
    return 0;
}
