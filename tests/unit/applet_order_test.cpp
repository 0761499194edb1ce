// SPDX-License-Identifier: Apache-2.0
// Every one, two and three faults at once: the check that docs/protocol.md names first answers.
#include <catch2/catch.hpp>

#include <bitset>
#include <vector>

#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

constexpr std::size_t most_at_once = 3;

struct Fault {
    const char* name;
    std::uint16_t sw;
};

// The first fault, in the order of the list, that is in the set.
std::uint16_t expected_sw(const std::vector<Fault>& faults, std::size_t set)
{
    for (std::size_t i = 0; i < faults.size(); ++i)
        if ((set >> i & 1) != 0) return faults[i].sw;
    return 0x9000;
}

std::string names(const std::vector<Fault>& faults, std::size_t set)
{
    std::string text;
    for (std::size_t i = 0; i < faults.size(); ++i)
        if ((set >> i & 1) != 0) text += std::string(faults[i].name) + ", ";
    return text;
}

// A card that is ready for a debit that needs the PIN.
struct ReadyCard : IssuedCard {
    ReadyCard() { verify(); }
    void limit(bool amount, bool balance_too_low)
    {
        arrange([&](chip::CardMemory& m) {
            if (amount) m.limits.maximum_amount = Balance::minor_units(1);
            if (balance_too_low) m.balance = Balance::minor_units(1);
        });
    }
    void end_pin(bool wanted)
    {
        if (wanted) select();
    }
};

void check_outcome(IssuedCard& card, const Bytes& command, std::uint16_t wanted, bool memory_fails)
{
    const auto before = card.memory();
    const bool verified = card.pin_status().sw == 0x9000;
    card.storage.failing_writes = memory_fails ? 1 : 0;
    const auto reply = card.send(command);
    card.storage.failing_writes = 0;
    REQUIRE(reply.sw == wanted);
    if (wanted == 0x9000) {
        CHECK(card.memory() != before);
        return;
    }
    CHECK(reply.data.empty());
    REQUIRE(card.memory() == before);
    CHECK((card.pin_status().sw == 0x9000) == verified);
}

}  // namespace

TEST_CASE("EXECUTE checks in the order of its seven steps", "[applet]")
{
    const std::vector<Fault> faults = {
        {"Le absent", 0x6700},        {"malformed", 0x6A80},        {"another card", 0x9406},
        {"another unit", 0x9405},     {"used sequence", 0x9404},    {"wrong signature", 0x6988},
        {"blocked", 0x6985},          {"skipped sequence", 0x9404}, {"not asked for", 0x9408},
        {"PIN not verified", 0x6982}, {"amount limit", 0x9403},     {"balance too low", 0x9401},
        {"Le too short", 0x6CB0},     {"memory fails", 0x6581}};
    std::size_t refused = 0;
    for (std::size_t set = 0; set < std::size_t{1} << faults.size(); ++set) {
        const std::bitset<14> has(set);
        if (has.count() > most_at_once) continue;
        if ((has[4] && has[7]) || (has[0] && has[12])) continue;  // exclude each other
        INFO(names(faults, set));
        ReadyCard card;
        card.execute(Kind::cancel);  // so that sequence 1 is used up
        auto operation = IssuedCard::requested(card.request(Kind::transfer_out, -6000));
        if (has[8]) operation.nonce = public_of<Nonce>(0x99);
        if (has[2]) operation.card_id = public_of<CardId>(0x77);
        if (has[3]) operation.unit = *Unit::from_code(156);
        if (has[4]) operation.sequence = 1;
        if (has[7]) operation.sequence += 1;
        card.limit(has[10], has[11]);
        if (has[6]) card.arrange([](chip::CardMemory& m) { m.state = CardState::blocked; });
        card.end_pin(has[9]);
        auto data = IssuedCard::first_instruction(operation, has[5] ? 0x41 : 0x40);
        if (has[1]) data.push_back(0);
        const std::optional<std::uint8_t> le =
            has[0] ? std::nullopt : std::optional<std::uint8_t>(has[12] ? 175 : 176);
        const auto wanted = expected_sw(faults, set);
        check_outcome(card, command_apdu(wire::command::execute, data, le), wanted, has[13]);
        refused += wanted != 0x9000 ? 1 : 0;
    }
    CHECK(refused == 443);
}

TEST_CASE("PAY checks in its order", "[applet]")
{
    const std::vector<Fault> faults = {
        {"Le absent", 0x6700},     {"blocked", 0x6985},         {"malformed", 0x6A80},
        {"another unit", 0x9405},  {"last sequence", 0x6985},   {"PIN not verified", 0x6982},
        {"amount limit", 0x9403},  {"balance too low", 0x9401}, {"offline count", 0x9407},
        {"offline total", 0x9407}, {"Le too short", 0x6CB0},    {"memory fails", 0x6581}};
    std::size_t refused = 0;
    for (std::size_t set = 0; set < std::size_t{1} << faults.size(); ++set) {
        const std::bitset<12> has(set);
        if (has.count() > most_at_once || (has[0] && has[10])) continue;
        INFO(names(faults, set));
        ReadyCard card;
        card.limit(has[6], has[7]);
        card.arrange([&](chip::CardMemory& m) {
            m.limits.offline_payments = has[8] ? 0 : 15;
            m.limits.offline_total = Balance::minor_units(has[9] ? 5999 : 6000);
            if (has[4]) m.sequence = 0xFFFFFFFF;
            if (has[1]) m.state = CardState::blocked;
        });
        card.end_pin(has[5]);
        const PayData order{Amount::minor_units(-6000), *Unit::from_code(has[3] ? 156 : 978),
                            public_of<Nonce>(1), card.shop};
        auto data = bytes_of(order.encode().bytes());
        if (has[2]) data.push_back(0);
        const std::optional<std::uint8_t> le =
            has[0] ? std::nullopt : std::optional<std::uint8_t>(has[10] ? 175 : 176);
        const auto wanted = expected_sw(faults, set);
        check_outcome(card, command_apdu(wire::command::pay, data, le), wanted, has[11]);
        refused += wanted != 0x9000 ? 1 : 0;
    }
    CHECK(refused == 287);
}

TEST_CASE("REQUEST checks in its order", "[applet]")
{
    const auto asked = GENERATE(Kind::cash_out, Kind::transfer_out);
    const std::vector<Fault> faults = {
        {"no such kind", 0x6A86},     {"Le absent", 0x6700},    {"blocked", 0x6985},
        {"malformed", 0x6A80},        {"another unit", 0x9405}, {"last sequence", 0x6985},
        {"PIN not verified", 0x6982}, {"amount limit", 0x9403}, {"balance too low", 0x9401},
        {"Le too short", 0x6C8D},     {"memory fails", 0x6581}};
    std::size_t refused = 0;
    for (std::size_t set = 0; set < std::size_t{1} << faults.size(); ++set) {
        const std::bitset<11> has(set);
        if (has.count() > most_at_once || (has[1] && has[9])) continue;
        INFO(names(faults, set));
        ReadyCard card;
        card.limit(has[7], has[8]);
        card.arrange([&](chip::CardMemory& m) {
            if (has[5]) m.sequence = 0xFFFFFFFF;
            if (has[2]) m.state = CardState::blocked;
        });
        card.end_pin(has[6]);
        const RequestData wish{Amount::minor_units(-6000), *Unit::from_code(has[4] ? 156 : 978),
                               card.shop};
        auto data = bytes_of(wish.encode().bytes());
        if (has[3]) data.push_back(0);
        auto header = wire::command::request;
        header.p1 = static_cast<std::uint8_t>(has[0] ? Kind::payment : asked);
        const std::optional<std::uint8_t> le =
            has[1] ? std::nullopt : std::optional<std::uint8_t>(has[9] ? 140 : 141);
        const auto wanted = expected_sw(faults, set);
        check_outcome(card, command_apdu(header, data, le), wanted, has[10]);
        refused += wanted != 0x9000 ? 1 : 0;
    }
    CHECK(refused == 221);
}
