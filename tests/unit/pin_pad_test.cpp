// SPDX-License-Identifier: Apache-2.0
// What a reader with a keypad is asked, byte for byte (PC/SC part 10, v2.02.09).
#include <catch2/catch.hpp>

#include "readers/pcsc/pin_pad.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;
using pcsc::PinPad;
using pcsc::PinPadRequest;

TEST_CASE("the features of a reader are found by their tags", "[pin-pad]")
{
    const auto pad = PinPad::parse(from_hex("0604423300060704423300070a0442330008"));
    CHECK(pad.verify == 0x42330006);
    CHECK(pad.modify == 0x42330007);
    CHECK(pad.is_complete());
}

TEST_CASE("a reader that cannot do both has no keypad for us", "[pin-pad]")
{
    CHECK(!PinPad::parse({}).is_complete());
    CHECK(!PinPad::parse(from_hex("060442330006")).is_complete());
    CHECK(!PinPad::parse(from_hex("070442330007")).is_complete());
}

TEST_CASE("what is not a list of features has none", "[pin-pad]")
{
    const auto good = from_hex("060442330006070442330007");
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(!PinPad::parse(std::span(good).first(size)).is_complete());
    CHECK(!PinPad::parse(from_hex("060342330006070442330007")).is_complete());
    CHECK(!PinPad::parse(from_hex("060442330006070542330007")).is_complete());
}

TEST_CASE("verification asks for one PIN of 4 to 12 digits, as a format 2 block", "[pin-pad]")
{
    const auto command = from_hex("002000800820ffffffffffffff");
    const PinPadRequest request(PinEntry::verify, command, 60s);
    CHECK(bytes_of(request.bytes()) == from_hex("3c3c8947040c0402010904000000000d0000000020008008"
                                                "20ffffffffffffff"));
}

TEST_CASE("a change asks for the old PIN, and twice for the new one", "[pin-pad]")
{
    const auto command = from_hex("002400801020ffffffffffffff20ffffffffffffff");
    const PinPadRequest request(PinEntry::modify, command, 60s);
    CHECK(bytes_of(request.bytes()) ==
          from_hex("3c3c89470400080c040302030904000102000000150000000024008010"
                   "20ffffffffffffff20ffffffffffffff"));
}

TEST_CASE("the reader's deadline is a byte of whole seconds, never zero", "[pin-pad]")
{
    const auto command = from_hex("002000800820ffffffffffffff");
    const auto seconds = [&](std::chrono::milliseconds longest) {
        return PinPadRequest(PinEntry::verify, command, longest).bytes()[0];
    };
    CHECK(seconds(0ms) == 1);
    CHECK(seconds(1500ms) == 2);
    CHECK(seconds(1h) == 255);
}
