// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <map>

#include "../../src/crypto/seal.hpp"
#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

TEST_CASE("the log holds the last 16 executed operations", "[applet][log]")
{
    IssuedCard card;
    std::map<std::uint32_t, std::pair<Operation, Bytes>> executed;
    for (std::uint32_t sequence = 1; sequence <= 40; ++sequence) {
        const auto operation = card.next(Kind::top_up, sequence);
        executed.emplace(sequence, std::pair(operation, card.execute(operation).data));
        for (std::uint32_t asked = 0; asked <= sequence + 1; ++asked) {
            INFO(sequence << " executed, " << asked << " asked for");
            const bool held = asked >= 1 && asked <= sequence && asked + 16 > sequence;
            const auto result = card.log(wire::command::get_result, asked);
            const auto its_operation = card.log(wire::command::get_operation, asked);
            REQUIRE(result.sw == (held ? 0x9000 : 0x6A88));
            REQUIRE(its_operation.sw == result.sw);
            if (!held) continue;
            CHECK(result.data == executed.at(asked).second);
            CHECK(its_operation.data == IssuedCard::first_instruction(executed.at(asked).first));
        }
    }
    CHECK(card.log(wire::command::get_result, 0xFFFFFFFF).sw == 0x6A88);
    CHECK(card.now().sequence == 40);
}

TEST_CASE("I6: an executed first instruction answers its result again, in every state",
          "[applet][log]")
{
    IssuedCard card;
    std::vector<std::pair<Bytes, Bytes>> held;  // command, answer
    const auto run = [&](const Operation& operation) {
        const auto bytes =
            command_apdu(wire::command::execute, IssuedCard::first_instruction(operation), 0);
        const auto reply = card.send(bytes);
        REQUIRE(reply.sw == 0x9000);
        held.emplace_back(bytes, reply.data);
        const auto before = card.memory();
        for (const auto& [again, answer] : held) CHECK(card.send(again).data == answer);
        CHECK(card.memory() == before);
    };
    run(card.next(Kind::top_up, 5));
    run(IssuedCard::requested(card.request(Kind::cash_out, -5)));
    run(IssuedCard::requested(card.request(Kind::transfer_in, 7)));
    run(card.next(Kind::block));
    run(card.next(Kind::cancel));
    run(card.next(Kind::unblock));
    run(card.next(Kind::terminate));
    CHECK(held.size() == 7);
}

TEST_CASE("an evicted first instruction answers 9404", "[applet][log]")
{
    IssuedCard card;
    const auto first = card.next(Kind::top_up, 5);
    card.execute(first);
    for (int i = 0; i < 15; ++i) CHECK(card.execute(Kind::cancel).sw == 0x9000);
    CHECK(card.execute(first).sw == 0x9000);
    CHECK(card.execute(Kind::cancel).sw == 0x9000);
    CHECK(card.execute(first).sw == 0x9404);
    CHECK(card.balance() == start_balance + 5);
}

TEST_CASE("I12: a first instruction with any bit flipped is refused and changes nothing",
          "[applet]")
{
    IssuedCard card;
    card.execute(Kind::cancel);
    const auto good = IssuedCard::first_instruction(card.next(Kind::top_up, 5));
    const auto before = card.memory();
    int refused = 0;
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        INFO("bit " << bit);
        auto bad = good;
        bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1u << bit % 8);
        const auto reply = card.send(command_apdu(wire::command::execute, bad, 0));
        REQUIRE(reply.sw != 0x9000);
        REQUIRE(reply.data.empty());
        REQUIRE(card.memory() == before);
        ++refused;
    }
    CHECK(refused == 8 * 141);
    CHECK(card.send(command_apdu(wire::command::execute, good, 0)).sw == 0x9000);
}

TEST_CASE("I12: a PERSONALISE with any bit flipped is refused and changes nothing", "[applet]")
{
    const auto accepted = load_vectors("personalise.json", "cases").at(0);
    TestCard card(TestCard::blank(accepted.at("transport_key")));
    card.select();
    const auto good = from_hex(accepted.at("command"));
    const auto before = card.memory();
    int refused = 0;
    for (std::size_t bit = 8 * 5; bit < 8 * good.size(); ++bit) {
        auto bad = good;
        bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1u << bit % 8);
        REQUIRE(card.send(bad).sw == 0x6988);
        REQUIRE(card.memory() == before);
        ++refused;
    }
    CHECK(refused > 8 * 190);
    CHECK(card.send(good).sw == 0x9000);
}

TEST_CASE("what invalid.json holds for a card answers 6A80 and changes nothing", "[applet]")
{
    IssuedCard card;
    const auto before = card.memory();
    std::map<std::string, int> tried;
    auto request = wire::command::request;
    request.p1 = static_cast<std::uint8_t>(Kind::transfer_out);
    const std::map<std::string, apdu::Header> commands = {
        {"first instruction", wire::command::execute},
        {"PAY data", wire::command::pay},
        {"REQUEST data", request}};
    for (const auto& object : load_vectors("invalid.json", "objects")) {
        const auto command = commands.find(object.at("type"));
        if (command == commands.end()) continue;
        INFO(command->first << ": " << object.at("rule").get<std::string>());
        const auto data = from_hex(object.at("hex"));
        if (data.size() > 255) continue;  // no card ever reads it
        const auto reply = card.send(command_apdu(command->second, data, 0));
        CHECK(reply.sw == (data.empty() ? 0x6700 : 0x6A80));
        REQUIRE(card.memory() == before);
        ++tried[command->first];
    }
    CHECK(tried["first instruction"] == 11);
    CHECK(tried["PAY data"] > 40);
    CHECK(tried["REQUEST data"] > 30);
}

TEST_CASE("no malformed operation of invalid.json executes, however it is signed", "[applet]")
{
    IssuedCard card;
    const auto before = card.memory();
    int tried = 0;
    for (const auto& object : load_vectors("invalid.json", "objects")) {
        if (object.at("type") != "operation") continue;
        INFO(object.at("rule").get<std::string>());
        auto data = from_hex(object.at("hex"));
        if (data.size() > 189) continue;
        const auto signature = ed25519::sign(operation_seed(), wire::domain::operation, data);
        data.insert(data.end(), {wire::tag::issuer_signature, 64});
        const auto bytes = signature.bytes();
        data.insert(data.end(), bytes.begin(), bytes.end());
        CHECK(card.send(command_apdu(wire::command::execute, data, 0)).sw == 0x6A80);
        REQUIRE(card.memory() == before);
        ++tried;
    }
    CHECK(tried > 100);
}

TEST_CASE("a malformed personalisation of invalid.json, rightly sealed, answers 6A80", "[applet]")
{
    TestCard card([] {
        chip::CardMemory memory;
        memory.secrets.transport_key = secret_of<TransportKey>(9);
        return memory;
    }());
    card.select();
    const auto before = card.memory();
    int tried = 0;
    for (const auto& object : load_vectors("invalid.json", "objects")) {
        if (object.at("type") != "personalisation") continue;
        INFO(object.at("rule").get<std::string>());
        const auto bytes = from_hex(object.at("hex"));
        if (bytes.size() > PersonalisationBytes::capacity) continue;
        const auto sealed = seal(PersonalisationBytes(bytes), secret_of<TransportKey>(9));
        CHECK(card.send(command_apdu(wire::command::personalise, sealed)).sw == 0x6A80);
        REQUIRE(card.memory() == before);
        ++tried;
    }
    CHECK(tried > 80);
}
