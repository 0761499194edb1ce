// SPDX-License-Identifier: Apache-2.0
// PIN structures of PC/SC part 10: where the digits go, and what is refused.
#include <catch2/catch.hpp>

#include <string>

#include "../../readers/ifd/pin_structure.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;
using ifd::parse_pin_modify;
using ifd::parse_pin_verify;

namespace {

struct Verify {
    std::uint8_t format = 0x89, block = 0x47, length = 0x04, max = 12, min = 4, ended_by = 2;
    std::string command = "002000010820ffffffffffffff";
    std::size_t size_off = 0;  // how much ulDataLength is too large
};

Bytes bytes_of(const Verify& verify)
{
    const auto command = from_hex(verify.command);
    const auto size = static_cast<std::uint8_t>(command.size() + verify.size_off);
    Bytes bytes = {30,
                   15,
                   verify.format,
                   verify.block,
                   verify.length,
                   verify.max,
                   verify.min,
                   verify.ended_by,
                   0xFF,
                   0x09,
                   0x04,
                   0,
                   0,
                   0,
                   0,
                   size,
                   0,
                   0,
                   0};
    bytes.insert(bytes.end(), command.begin(), command.end());
    return bytes;
}

std::string filled(const Verify& verify, const std::string& digits)
{
    auto structure = parse_pin_verify(bytes_of(verify)).value();
    structure.command.put(structure.format, 0, digits);
    std::string hex;
    for (const auto byte : structure.command.bytes()) {
        constexpr const char* nibbles = "0123456789abcdef";
        hex += {nibbles[byte >> 4], nibbles[byte & 15]};
    }
    return hex;
}

bool is_refused(const Verify& verify)
{
    return !parse_pin_verify(bytes_of(verify));
}

}  // namespace

TEST_CASE("a PIN takes its place in the command", "[ifd]")
{
    // ISO 9564-1 format 2, as CCID's own example has it and as OpenSC writes it.
    CHECK(filled({}, "4711") == "0020000108244711ffffffffff");
    CHECK(filled({}, "47114") == "00200001082547114fffffffff");
    CHECK(filled({}, "123456789012") == "00200001082c123456789012ff");
    CHECK(filled({.format = 0x41, .block = 0x48}, "4711") == "0020000108244711ffffffffff");
    // ASCII in a block that is there, and in a command without data, which grows.
    CHECK(filled({.format = 0x82,
                  .block = 0x08,
                  .length = 0,
                  .max = 8,
                  .command = "0020008108ffffffffffffffff"},
                 "1234") == "002000810831323334ffffffff");
    CHECK(filled({.format = 0x82, .block = 0, .length = 0, .command = "00200081"}, "123456") ==
          "0020008106313233343536");
    CHECK(filled({.format = 0x82, .block = 0, .length = 0, .command = "0020008100"}, "1234") ==
          "002000810431323334");
    // Justified to the right, binary, and a length in a byte of its own.
    CHECK(filled({.format = 0x86,
                  .block = 0x08,
                  .length = 0,
                  .max = 8,
                  .command = "00200081080000000000000000"},
                 "1234") == "00200081080000000031323334");
    CHECK(filled({.format = 0x88,
                  .block = 0x87,
                  .length = 0,
                  .max = 7,
                  .command = "0020008108ffffffffffffffff"},
                 "1234") == "00200081080401020304ffffff");
    CHECK(filled({.format = 0x88,
                  .block = 0x87,
                  .length = 0x17,
                  .max = 6,
                  .command = "0020008108ffffffffffffffff"},
                 "1234") == "0020008108ff01020304ffff04");
}

TEST_CASE("a PIN structure that cannot be carried out to the letter is refused", "[ifd]")
{
    CHECK(!is_refused({}));
    CHECK(is_refused({.format = 0x8B}));  // no such type
    CHECK(is_refused({.block = 0x17}));   // no room for the length
    CHECK(is_refused({.block = 0x45}));   // no room for 12 digits
    CHECK(is_refused({.length = 0x24}));  // reserved bits
    CHECK(is_refused({.length = 0x1F}));  // a length beyond the data
    CHECK(is_refused({.format = 0xC9}));  // digits beyond the data
    CHECK(is_refused({.max = 0, .min = 0}));
    CHECK(is_refused({.max = 4, .min = 5}));
    CHECK(is_refused({.max = 15}));
    CHECK(is_refused({.ended_by = 1}));  // only by the key
    CHECK(is_refused({.ended_by = 8}));
    CHECK(!is_refused({.ended_by = 7}));
    CHECK(is_refused({.format = 0x8D, .block = 0x40}));            // to the right of nothing
    CHECK(is_refused({.command = "002000010720ffffffffffffff"}));  // Lc is another
    CHECK(is_refused({.command = "002000"}));
    CHECK(is_refused({.command = "0020000108"}));  // a length, and no data
    CHECK(is_refused({.command = "00200001"}));    // no place for a length
    CHECK(is_refused({.size_off = 1}));
    CHECK(is_refused({.command = "00200001ff" + std::string(255 * 2, '0') + "00"}));
    const auto whole = bytes_of({});
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(!parse_pin_verify(std::span(whole).first(size)));
}

TEST_CASE("a change of PIN has two places", "[ifd]")
{
    const auto build = [](std::uint8_t old_offset, std::uint8_t new_offset, std::uint8_t confirm) {
        Bytes bytes = {0, 0, 0x89, 0x47, 0x04, old_offset, new_offset, 12, 4,  confirm, 2, 3,
                       9, 4, 0,    1,    2,    0,          0,          0,  21, 0,       0, 0};
        const auto command = from_hex("002400011020ffffffffffffff20ffffffffffffff");
        bytes.insert(bytes.end(), command.begin(), command.end());
        return bytes;
    };
    auto change = parse_pin_modify(build(0, 8, 3)).value();
    CHECK(change.asks_old);
    CHECK(change.confirms_new);
    change.command.put(change.format, change.old_offset, std::string("4711"));
    change.command.put(change.format, change.new_offset, std::string("080815"));
    CHECK(testing::bytes_of(change.command.bytes()) ==
          from_hex("0024000110244711ffffffffff26080815ffffffff"));
    CHECK(!parse_pin_modify(build(0, 8, 1)).value().asks_old);
    CHECK(!parse_pin_modify(build(0, 8, 2)).value().confirms_new);
    CHECK(parse_pin_modify(build(200, 8, 1)));  // the old one is not asked for
    CHECK(!parse_pin_modify(build(200, 8, 3)));
    CHECK(!parse_pin_modify(build(0, 16, 1)));
    CHECK(!parse_pin_modify(build(0, 10, 1)));
    CHECK(!parse_pin_modify(build(0, 8, 4)));
}
