// SPDX-License-Identifier: Apache-2.0
// The one place of 61xx and 6Cxx, under both transmission protocols.
#include <algorithm>
#include <deque>
#include <vector>

#include <catch2/catch.hpp>

#include "../../src/card/exchange.hpp"
#include "support/scripted_link.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;

namespace {

namespace rule = detail::rule;
using apdu::Command;
using apdu::Header;

constexpr Header value_header{.cla = 0x80, .ins = 0x32, .p1 = 0, .p2 = 0};
constexpr Header plain_header{.cla = 0x80, .ins = 0xCA, .p1 = 0, .p2 = 0x92};
const Bytes some_data = {1, 2, 3};

// A card that gives these answers in turn, and what it was sent.
struct Conversation {
    std::deque<Bytes> answers{};
    std::vector<Bytes> heard{};
    Bytes current{};
    bool repeats_last = false;
    std::array<std::uint8_t, apdu::Response::max_size> buffer{};

    Result<apdu::Response> run(TransmissionProtocol protocol, const Command& command,
                               const detail::CommandRule& rule)
    {
        ScriptedLink link(
            [this](ScriptedLink::Bytes bytes) -> Result<ScriptedLink::Bytes> {
                heard.push_back(bytes_of(bytes));
                if (answers.empty()) return Error{.code = Errc::card_removed, .where = "script"};
                current = answers.front();
                if (!repeats_last || answers.size() > 1) answers.pop_front();
                return ScriptedLink::Bytes(current);
            },
            protocol);
        return detail::exchange(link, command, rule, buffer, nullptr);
    }
};

constexpr auto t0 = TransmissionProtocol::t0;
constexpr auto t1 = TransmissionProtocol::t1;

}  // namespace

TEST_CASE("a command encodes as ISO 7816-4 has it", "[card]")
{
    CHECK(bytes_of(Command(plain_header).bytes()) == from_hex("80ca0092"));
    CHECK(bytes_of(Command(plain_header, {}, 52).bytes()) == from_hex("80ca009234"));
    CHECK(bytes_of(Command(plain_header, {}, 256).bytes()) == from_hex("80ca009200"));
    CHECK(bytes_of(Command(value_header, some_data).bytes()) == from_hex("8032000003010203"));
    CHECK(bytes_of(Command(value_header, some_data, 256).bytes()) ==
          from_hex("803200000301020300"));
}

TEST_CASE("under T=0 a command has a fifth byte, and no Le where it has data", "[card]")
{
    CHECK(bytes_of(Command(plain_header).tpdu()) == from_hex("80ca009200"));
    CHECK(bytes_of(Command(plain_header, {}, 52).tpdu()) == from_hex("80ca009234"));
    CHECK(bytes_of(Command(value_header, some_data, 256).tpdu()) == from_hex("8032000003010203"));
}

TEST_CASE("a command erases its data when it ends", "[card]")
{
    alignas(Command) std::array<std::uint8_t, sizeof(Command)> memory{};
    auto* command = new (memory.data()) Command(value_header, from_hex("244711ffffffffff"));
    const auto planted = from_hex("244711ff");
    const auto holds_it = [&] {
        return std::search(memory.begin(), memory.end(), planted.begin(), planted.end()) !=
               memory.end();
    };
    REQUIRE(holds_it());
    command->~Command();
    CHECK(!holds_it());
}

TEST_CASE("a case-4 command under T=0 is answered through GET RESPONSE", "[card]")
{
    Conversation card{.answers = {from_hex("6103"), from_hex("aabbcc9000")}};
    const auto response = card.run(t0, Command(value_header, some_data, 256), rule::execute);
    REQUIRE(response);
    CHECK(bytes_of(response->data) == from_hex("aabbcc"));
    CHECK(card.heard == std::vector{from_hex("8032000003010203"), from_hex("00c0000003")});
}

TEST_CASE("a response in parts is put together, under T=0 and T=1", "[card]")
{
    for (const auto protocol : {t0, t1}) {
        Conversation card{.answers = {from_hex("aa6102"), from_hex("bbcc6100"), from_hex("6c01"),
                                      from_hex("dd9000")}};
        const auto response =
            card.run(protocol, Command(value_header, some_data, 256), rule::execute);
        REQUIRE(response);
        CHECK(bytes_of(response->data) == from_hex("aabbccdd"));
        CHECK(card.heard.back() == from_hex("00c0000001"));
    }
}

TEST_CASE("an endless chain of 61xx or 6Cxx is given up, in doubt for a value command", "[card]")
{
    for (const auto* endless : {"6110", "016101", "6c10", "00000000000000006100"}) {
        Conversation card{.answers = {from_hex("6110"), from_hex(endless)}};
        card.repeats_last = true;
        const auto response = card.run(t0, Command(value_header, some_data, 256), rule::execute);
        REQUIRE(!response);
        CHECK(response.error().code == Errc::link_failed);
        CHECK(response.error().effect == Effect::unknown);
        CHECK(card.heard.size() <= 1 + detail::most_get_responses);
    }
}

TEST_CASE("a response longer than a short APDU is given up", "[card]")
{
    Bytes large(202, 0xEE);
    large[200] = 0x61;
    large[201] = 0x80;
    Conversation card{.answers = {from_hex("61c8"), large, large}};
    const auto response = card.run(t0, Command(value_header, some_data, 256), rule::execute);
    REQUIRE(!response);
    CHECK(response.error().code == Errc::link_failed);
    CHECK(response.error().effect == Effect::unknown);
}

TEST_CASE("6Cxx: a command that moves nothing is sent once more with the right length", "[card]")
{
    for (const auto protocol : {t0, t1}) {
        Conversation card{.answers = {from_hex("6c02"), from_hex("aabb9000")}};
        const auto response = card.run(protocol, Command(plain_header, {}, 256), rule::get_data);
        REQUIRE(response);
        CHECK(bytes_of(response->data) == from_hex("aabb"));
        CHECK(card.heard == std::vector{from_hex("80ca009200"), from_hex("80ca009202")});
    }
    Conversation stubborn{.answers = {from_hex("6c02"), from_hex("6c03")}};
    const auto response = stubborn.run(t1, Command(plain_header, {}, 256), rule::get_data);
    REQUIRE(!response);
    CHECK(response.error().code == Errc::unexpected_status);
    CHECK(stubborn.heard.size() == 2);
}

TEST_CASE("6Cxx: a command that moves value is reported and not sent again", "[card]")
{
    for (const auto protocol : {t0, t1}) {
        for (const auto* rule : {&rule::execute, &rule::pay}) {
            Conversation card{.answers = {from_hex("6c02"), from_hex("aabb9000")}};
            const auto response = card.run(protocol, Command(value_header, some_data, 256), *rule);
            REQUIRE(!response);
            CHECK(response.error().code == Errc::unexpected_status);
            CHECK(response.error().effect == Effect::unknown);
            CHECK(response.error().sw == StatusWord(0x6C02));
            CHECK(card.heard.size() == 1);
        }
    }
}

TEST_CASE("after 61xx no status word is a refusal: the card has carried it out", "[card]")
{
    Conversation card{.answers = {from_hex("6103"), from_hex("9401")}};
    const auto response = card.run(t0, Command(value_header, some_data, 256), rule::execute);
    REQUIRE(!response);
    CHECK(response.error().code == Errc::unexpected_status);
    CHECK(response.error().effect == Effect::unknown);
}

TEST_CASE("after 61xx a card that leaves is in doubt, whatever the link says", "[card]")
{
    Conversation card{.answers = {from_hex("6103")}};
    const auto response = card.run(t0, Command(value_header, some_data, 256), rule::execute);
    REQUIRE(!response);
    CHECK(response.error().code == Errc::card_removed);
    CHECK(response.error().effect == Effect::unknown);
}

TEST_CASE("an answer of 0 or 1 byte proves nothing", "[card]")
{
    for (const auto& answer : {Bytes{}, Bytes{0x90}}) {
        Conversation value{.answers = {answer}};
        const auto moved = value.run(t1, Command(value_header, some_data, 256), rule::execute);
        REQUIRE(!moved);
        CHECK(moved.error().code == Errc::link_failed);
        CHECK(moved.error().effect == Effect::unknown);
        Conversation plain{.answers = {answer}};
        const auto read = plain.run(t1, Command(plain_header, {}, 52), rule::get_data);
        REQUIRE(!read);
        CHECK(read.error().code == Errc::link_failed);
        CHECK(read.error().effect == Effect::none);
    }
}

TEST_CASE("data beside a refusal, or where none is due, is nonsense and proves nothing", "[card]")
{
    Conversation refused{.answers = {from_hex("aa9401")}};
    const auto execute = refused.run(t1, Command(value_header, some_data, 256), rule::execute);
    REQUIRE(!execute);
    CHECK(execute.error().code == Errc::unexpected_status);
    CHECK(execute.error().effect == Effect::unknown);
    Conversation done{.answers = {from_hex("aa9000")}};
    const auto personalise = done.run(t1, Command(value_header, some_data), rule::personalise);
    REQUIRE(!personalise);
    CHECK(personalise.error().code == Errc::link_failed);
    CHECK(personalise.error().effect == Effect::unknown);
}

TEST_CASE("a link that knows that nothing was sent is believed", "[card]")
{
    Conversation card;
    const auto response = card.run(t1, Command(value_header, some_data, 256), rule::execute);
    REQUIRE(!response);
    CHECK(response.error().code == Errc::card_removed);
    CHECK(response.error().effect == Effect::none);
    CHECK(std::string(response.error().where) == "EXECUTE");
}

TEST_CASE("a link that breaks leaves a command in doubt only where there is an effect", "[card]")
{
    const auto broken = [](ScriptedLink::Bytes) -> Result<ScriptedLink::Bytes> {
        return Error{.code = Errc::card_removed, .effect = Effect::unknown, .where = "script"};
    };
    ScriptedLink link(broken);
    std::array<std::uint8_t, apdu::Response::max_size> buffer{};
    const auto effect_of = [&](const Command& command, const detail::CommandRule& rule) {
        return detail::exchange(link, command, rule, buffer, nullptr).error().effect;
    };
    CHECK(effect_of(Command(value_header, some_data, 256), rule::execute) == Effect::unknown);
    CHECK(effect_of(Command(plain_header, {}, 52), rule::get_data) == Effect::none);
}
