// SPDX-License-Identifier: Apache-2.0
// What a card was sent before, sent again.
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

// Everything that a card in use is sent for its operations, payments last.
std::vector<Bytes> trace_of(IssuedCard& card)
{
    std::vector<Bytes> trace;
    const auto run = [&](const Operation& operation) {
        trace.push_back(
            command_apdu(wire::command::execute, IssuedCard::first_instruction(operation), 0));
        REQUIRE(card.send(trace.back()).sw == 0x9000);
    };
    for (int round = 0; round < 2; ++round) {
        run(card.next(Kind::top_up, 500));
        run(IssuedCard::requested(card.request(Kind::cash_out, -200)));
        run(IssuedCard::requested(card.request(Kind::transfer_in, 70)));
        run(IssuedCard::requested(card.request(Kind::transfer_out, -30)));
        run(card.next(Kind::block));
        run(card.next(Kind::cancel));
        run(card.next(Kind::unblock));
        run(card.next(Kind::reset_pin_tries));
        run(card.next(Kind::set_limits, 0, card.now().limits));
    }
    const PayData order{Amount::minor_units(-10), card.now().currency.unit, public_of<Nonce>(0x51),
                        card.shop};
    trace.push_back(command_apdu(wire::command::pay, order.encode(), 0));
    REQUIRE(card.send(trace.back()).sw == 0x9000);
    return trace;
}

}  // namespace

TEST_CASE("I13: replaying what a card was sent, in any order, changes nothing", "[applet][I13]")
{
    IssuedCard card;
    auto trace = trace_of(card);
    const auto before = card.memory();
    std::mt19937 random(13);
    int answered = 0, refused = 0;
    for (int round = 0; round < 8; ++round) {
        if (round == 4) card.applet.power_on();
        card.select();
        for (const auto& command : trace) {
            const auto sw = card.send(command).sw;
            ++(sw == 0x9000 ? answered : refused);
            CHECK((sw == 0x9000 || sw == 0x9404));  // its result again, or too old for the log
            REQUIRE(card.memory() == before);
        }
        std::shuffle(trace.begin(), trace.end(), random);
    }
    CHECK(answered == 8 * 16);
    CHECK(refused == 8 * 3);
}

TEST_CASE("I5: a card's sequences rise by one, and each has one result", "[applet][I5]")
{
    IssuedCard card;
    int refused = 0;
    for (std::uint32_t sequence = 1; sequence <= 40; ++sequence) {
        const auto before = card.memory();
        for (const std::uint32_t wrong :
             {0u, 1u, sequence - 1, sequence + 1, sequence + 2, 0xFFFFFFFFu}) {
            auto operation = card.next(Kind::top_up, 3);  // no other has this nonce
            operation.sequence = wrong == sequence ? sequence + 16 : wrong;
            CHECK(card.execute(operation).sw == 0x9404);
            REQUIRE(card.memory() == before);
            ++refused;
        }
        const auto reply = sequence % 4 == 0 ? card.pay(-1) : card.execute(Kind::top_up, 3);
        REQUIRE(reply.sw == 0x9000);
        CHECK(Receipt::decode(reply.data)->result.sequence == sequence);
        CHECK(card.now().sequence == sequence);
        CHECK(card.log(wire::command::get_result, sequence).data == reply.data);
    }
    CHECK(refused == 40 * 6);
}
