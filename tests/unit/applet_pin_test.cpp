// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/card_info.hpp>
#include <tallycard/state_statement.hpp>

#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

TEST_CASE("a wrong PIN answers 63Cx, the third 63C0, and from then on 6983", "[applet][pin]")
{
    IssuedCard card;
    CHECK(card.pin_status().sw == 0x63C3);
    CHECK(card.verify(wrong_pin).sw == 0x63C2);
    CHECK(card.verify(wrong_pin).sw == 0x63C1);
    CHECK(card.pin_status().sw == 0x63C1);
    CHECK(card.verify(wrong_pin).sw == 0x63C0);
    CHECK(card.verify(right_pin).sw == 0x6983);
    CHECK(card.pin_status().sw == 0x6983);
    CHECK(card.change_pin(right_pin, new_pin).sw == 0x6983);
    CHECK(card.verify(no_pin_block).sw == 0x6A80);  // the form is checked first

    CHECK(card.execute(Kind::reset_pin_tries).sw == 0x9000);
    CHECK(card.pin_status().sw == 0x63C3);
    CHECK(card.verify(right_pin).sw == 0x9000);
}

TEST_CASE("a success restores the tries", "[applet][pin]")
{
    IssuedCard card;
    card.verify(wrong_pin);
    card.verify(wrong_pin);
    CHECK(card.verify(right_pin).sw == 0x9000);
    card.select();
    CHECK(card.pin_status().sw == 0x63C3);
    card.change_pin(wrong_pin, new_pin);
    CHECK(card.change_pin(right_pin, new_pin).sw == 0x9000);
    CHECK(card.pin_status().sw == 0x63C3);
    CHECK(card.verify(right_pin).sw == 0x63C2);
    CHECK(card.verify(new_pin).sw == 0x9000);
}

TEST_CASE("a block that is not ISO 9564-1 format 2 answers 6A80 and uses no try", "[applet][pin]")
{
    IssuedCard card;
    card.verify();
    const auto before = card.memory();
    for (const char* block :
         {"141234ffffffffff", "231234ffffffffff", "23123fffffffffff", "2d1234567890123f",
          "24123affffffffff", "241234fffffffff0", "0000000000000000"}) {
        INFO(block);
        CHECK(card.verify(from_hex(block)).sw == 0x6A80);
        CHECK(card.change_pin(from_hex(block), new_pin).sw == 0x6A80);
        CHECK(card.change_pin(right_pin, from_hex(block)).sw == 0x6A80);
        CHECK(card.change_pin(wrong_pin, from_hex(block)).sw == 0x6A80);
    }
    CHECK(card.memory() == before);
    CHECK(card.pin_status().sw == 0x9000);
}

TEST_CASE("a card without a PIN answers 6984", "[applet][pin]")
{
    auto memory = memory_in_use();
    memory.has_pin = false;
    IssuedCard card(memory);
    CHECK(card.verify(right_pin).sw == 0x6984);
    CHECK(card.pin_status().sw == 0x6984);
    CHECK(card.change_pin(right_pin, new_pin).sw == 0x6984);
    CHECK(card.verify(no_pin_block).sw == 0x6A80);
    CHECK(card.execute(Kind::reset_pin_tries).sw == 0x9000);
    CHECK(card.verify(right_pin).sw == 0x6984);
    CHECK(card.execute(Kind::cash_out, -5001).sw == 0x6982);
    CHECK(card.execute(Kind::cash_out, -5000).sw == 0x9000);
}

TEST_CASE("power, reset, SELECT, a wrong PIN and every executed debit end the verified status",
          "[applet][pin]")
{
    IssuedCard card;
    const auto ends = [&](const char* what, bool wanted, auto&& act) {
        INFO(what);
        REQUIRE(card.verify().sw == 0x9000);
        act();
        CHECK((card.pin_status().sw != 0x9000) == wanted);
    };
    const auto select_other = [&] {
        auto aid = bytes_of(wire::aid);
        aid.back() = 2;
        CHECK(card.send(command_apdu(wire::command::select, aid, 0)).sw == 0x6A82);
        CHECK(card.send(command_apdu(wire::command::select, std::span(wire::aid).first(5), 0)).sw ==
              0x6A82);
    };
    ends("power", true, [&] {
        card.applet.power_on();
        CHECK(card.pin_status().sw == 0x6985);
        card.select();
    });
    ends("SELECT", true, [&] { card.select(); });
    ends("SELECT of another application", false, select_other);
    ends("SELECT with a short Le", false,
         [&] { CHECK(card.send(command_apdu(wire::command::select, wire::aid, 5)).sw == 0x6C85); });
    ends("wrong PIN", true, [&] { CHECK(card.verify(wrong_pin).sw == 0x63C2); });
    ends("wrong old PIN", true, [&] { CHECK(card.change_pin(wrong_pin, new_pin).sw == 0x63C2); });
    ends("change", false, [&] { CHECK(card.change_pin(right_pin, right_pin).sw == 0x9000); });
    ends("cash-out", true, [&] { CHECK(card.execute(Kind::cash_out, -1).sw == 0x9000); });
    ends("payment", true, [&] { CHECK(card.pay(-1).sw == 0x9000); });
    ends("transfer out", true, [&] {
        const auto asked = card.request(Kind::transfer_out, -1);
        CHECK(card.pin_status().sw == 0x9000);
        CHECK(card.execute(IssuedCard::requested(asked)).sw == 0x9000);
    });
    ends("top-up", false, [&] { CHECK(card.execute(Kind::top_up, 1).sw == 0x9000); });
    ends("refused debit", false,
         [&] { CHECK(card.execute(Kind::cash_out, -20'001).sw == 0x9403); });
    const auto debit = IssuedCard::requested(card.request(Kind::cash_out, -1));
    CHECK(card.execute(debit).sw == 0x9000);
    ends("an executed debit again", false, [&] { CHECK(card.execute(debit).sw == 0x9000); });
    for (const auto kind : {Kind::cancel, Kind::reset_pin_tries, Kind::block, Kind::unblock})
        ends(name(kind), false, [&] { CHECK(card.execute(kind).sw == 0x9000); });
}

TEST_CASE("kind 16 takes the PIN away, and one is set once without it", "[applet][pin]")
{
    IssuedCard card;
    card.verify(wrong_pin);
    REQUIRE(card.verify(right_pin).sw == 0x9000);
    CHECK(card.set_pin(new_pin).sw == 0x6985);  // it does not wait
    CHECK(card.execute(Kind::open_pin).sw == 0x9000);
    CHECK(card.pin_status().sw == 0x6984);
    CHECK(card.verify(right_pin).sw == 0x6984);
    CHECK(card.change_pin(right_pin, new_pin).sw == 0x6984);
    CHECK(card.execute(Kind::cash_out, -5001).sw == 0x6982);

    card.applet.power_on();  // it outlasts power-off and other operations
    card.select();
    CHECK(card.execute(Kind::top_up, 1).sw == 0x9000);
    CHECK(card.set_pin(no_pin_block).sw == 0x6A80);
    card.storage.failing_writes = 1;
    CHECK(card.set_pin(new_pin).sw == 0x6581);
    CHECK(card.set_pin(new_pin).sw == 0x9000);
    CHECK(card.pin_status().sw == 0x63C3);  // it makes nothing stand verified
    CHECK(card.set_pin(new_pin).sw == 0x6985);
    CHECK(card.verify(right_pin).sw == 0x63C2);
    CHECK(card.verify(new_pin).sw == 0x9000);
    CHECK(card.execute(Kind::cash_out, -5001).sw == 0x9000);
}

TEST_CASE("kind 16 ends the verified status and a blocked PIN, also of a card that had none",
          "[applet][pin]")
{
    auto memory = memory_in_use();
    memory.has_pin = GENERATE(true, false);
    IssuedCard card(memory);
    CHECK(card.set_pin(new_pin).sw == 0x6985);
    for (int i = 0; i < 3; ++i) card.verify(wrong_pin);
    CHECK(card.execute(Kind::open_pin).sw == 0x9000);
    CHECK(card.set_pin(new_pin).sw == 0x9000);
    CHECK(card.verify(new_pin).sw == 0x9000);
    CHECK(card.execute(Kind::open_pin).sw == 0x9000);
    CHECK(card.execute(Kind::cash_out, -5001).sw == 0x6982);
}

TEST_CASE("a private balance stays hidden until a new PIN has been set and verified",
          "[applet][pin]")
{
    auto memory = memory_in_use();
    memory.private_balance = true;
    IssuedCard card(memory);
    const auto state = [&] {
        return card.send(command_apdu(wire::command::internal_authenticate, Bytes(16), 0)).sw;
    };
    REQUIRE(card.verify(right_pin).sw == 0x9000);
    REQUIRE(state() == 0x9000);
    CHECK(card.execute(Kind::open_pin).sw == 0x9000);
    CHECK(state() == 0x6982);
    CHECK(card.set_pin(new_pin).sw == 0x9000);
    CHECK(state() == 0x6982);
    CHECK(card.verify(new_pin).sw == 0x9000);
    CHECK(state() == 0x9000);
}

TEST_CASE("a PIN try is written before the comparison", "[applet][pin]")
{
    IssuedCard card;
    card.execute(Kind::top_up, 5);
    const auto before = card.memory();
    card.storage.failing_writes = 1;
    CHECK(card.verify(right_pin).sw == 0x6581);
    CHECK(card.memory() == before);
    CHECK(card.pin_status().sw == 0x63C3);

    // power fails between the write and the comparison's outcome: the try is gone
    const auto writes = card.storage.writes;
    card.verify(wrong_pin);
    CHECK(card.storage.writes == writes + 1);
    card.verify(right_pin);
    CHECK(card.storage.writes == writes + 3);
}

TEST_CASE("a private balance is shown after the PIN only", "[applet][pin]")
{
    auto memory = memory_in_use();
    memory.private_balance = true;
    IssuedCard card(memory);
    const auto challenge = from_hex("000102030405060708090a0b0c0d0e0f");
    const auto ask = command_apdu(wire::command::internal_authenticate, challenge, 0);
    CHECK(card.send(ask).sw == 0x6982);
    auto short_le = ask;
    short_le.back() = 1;
    CHECK(card.send(short_le).sw == 0x6982);
    const auto info = CardInfo::decode(card.select().data);
    REQUIRE(info);
    CHECK_FALSE(info->balance.has_value());

    card.verify();
    const auto reply = card.send(ask);
    REQUIRE(reply.sw == 0x9000);
    const auto statement = StateStatement::decode(std::span(reply.data).first(98));
    REQUIRE(statement);
    CHECK(statement->balance == Balance::minor_units(start_balance));
    CHECK(testing::bytes_of(statement->challenge.bytes()) == challenge);
}
