// SPDX-License-Identifier: Apache-2.0
// Every state × every command × everything that is checked before a command's own rules, against a
// table of its own, written from docs/protocol.md, sections 5 and 6.
#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <vector>

#include "../../src/crypto/seal.hpp"
#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

enum class Standing { unselected_blank, blank, unselected, operational, blocked, terminated };
constexpr Standing standings[] = {Standing::unselected_blank, Standing::blank,
                                  Standing::unselected,       Standing::operational,
                                  Standing::blocked,          Standing::terminated};

struct Row {
    const char* name;
    Bytes header;                 // CLA INS P1 P2
    std::function<Bytes()> data;  // what succeeds where the command works
    bool has_answer;
    const char* works_in;     // digits: the states of section 6; 0: before SELECT too
    bool awaits_pin = false;  // needs a card that waits for a PIN
};

Bytes personalisation()
{
    const auto memory = memory_in_use();
    const Personalisation object{.card_id = memory.card_id,
                                 .currency = memory.currency,
                                 .certificate = memory.certificate,
                                 .scalar = chip::clone(memory.secrets.scalar),
                                 .operation_key = memory.operation_key,
                                 .limits = memory.limits,
                                 .pin = chip::clone(memory.secrets.pin)};
    return bytes_of(seal(object.encode(), secret_of<TransportKey>(9)).bytes());
}

// The operation that the card has executed already: EXECUTE answers its result in every state.
Operation executed()
{
    const auto memory = memory_in_use();
    return {.kind = Kind::top_up,
            .card_id = memory.card_id,
            .sequence = 1,
            .amount = Amount::minor_units(5),
            .unit = memory.currency.unit,
            .nonce = public_of<Nonce>(1),
            .account = AccountId::parse(std::string_view("T1")),
            .parameter = {}};
}

Bytes two_blocks()
{
    auto blocks = right_pin;
    blocks.insert(blocks.end(), new_pin.begin(), new_pin.end());
    return blocks;
}

std::vector<Row> table()
{
    const auto none = [] { return Bytes(); };
    const auto first = [] { return Bytes{0, 0, 0, 1}; };
    const auto wish = [] {
        return bytes_of(
            RequestData{Amount::minor_units(-10), *Unit::from_code(978), *AccountId::parse("SHOP")}
                .encode()
                .bytes());
    };
    const auto order = [] {
        return bytes_of(PayData{Amount::minor_units(-10), *Unit::from_code(978),
                                public_of<Nonce>(5), *AccountId::parse("SHOP")}
                            .encode()
                            .bytes());
    };
    return {
        {"SELECT", {0x00, 0xA4, 0x04, 0x00}, [] { return bytes_of(wire::aid); }, true, "01234"},
        {"GET CHALLENGE", {0x00, 0x84, 0x00, 0x00}, none, true, "01234"},
        {"VERIFY", {0x00, 0x20, 0x00, 0x01}, [] { return right_pin; }, false, "234"},
        {"CHANGE REFERENCE DATA", {0x00, 0x24, 0x00, 0x01}, two_blocks, false, "234"},
        {"... after kind 16", {0x00, 0x24, 0x01, 0x01}, [] { return new_pin; }, false, "234", true},
        {"INTERNAL AUTHENTICATE", {0x00, 0x88, 0, 0}, [] { return Bytes(16); }, true, "234"},
        {"GET DATA", {0x80, 0xCA, 0x00, 0x92}, none, true, "234"},
        {"REQUEST", {0x80, 0x30, 0x04, 0x00}, wish, true, "2"},
        {"EXECUTE",
         {0x80, 0x32, 0x00, 0x00},
         [] { return IssuedCard::first_instruction(executed()); },
         true,
         "234"},
        {"PAY", {0x80, 0x34, 0x00, 0x00}, order, true, "2"},
        {"GET RESULT", {0x80, 0x36, 0x00, 0x00}, first, true, "234"},
        {"GET OPERATION", {0x80, 0x36, 0x01, 0x00}, first, true, "234"},
        {"PERSONALISE", {0x80, 0xE2, 0x00, 0x00}, personalisation, false, "1"},
    };
}

std::unique_ptr<TestCard> card_in(Standing standing, bool awaits_pin = false)
{
    const bool blank = standing == Standing::blank || standing == Standing::unselected_blank;
    chip::CardMemory memory;
    if (blank) memory.secrets.transport_key = secret_of<TransportKey>(9);
    auto card = std::make_unique<IssuedCard>(blank ? memory : memory_in_use());
    if (!blank) card->execute(executed());
    if (standing == Standing::blocked) card->execute(Kind::block);
    if (standing == Standing::terminated) card->execute(Kind::terminate);
    if (awaits_pin && !blank) {
        card->arrange([](chip::CardMemory& m) {
            m.has_pin = false;
            m.awaits_pin = true;
        });
    }
    if (standing == Standing::unselected || standing == Standing::unselected_blank)
        card->applet.power_on();
    return card;
}

bool works(const Row& row, Standing standing)
{
    const std::string in = row.works_in;
    const auto state = [&](char digit) { return in.find(digit) != std::string::npos; };
    switch (standing) {
    case Standing::unselected_blank:
    case Standing::unselected: return state('0');
    case Standing::blank: return state('1');
    case Standing::operational: return state('2');
    case Standing::blocked: return state('3');
    case Standing::terminated: return state('4');
    }
    return false;
}

Bytes command(const Row& row, Bytes data, std::optional<std::uint8_t> le)
{
    return command_apdu({row.header[0], row.header[1], row.header[2], row.header[3]}, data, le);
}

std::optional<std::uint8_t> right_le(const Row& row)
{
    return row.has_answer ? std::optional<std::uint8_t>(0) : std::nullopt;
}

// Sends it; where it is refused, memory and standing must be what they were.
void check(Standing standing, const Bytes& bytes, std::uint16_t wanted, bool awaits_pin = false)
{
    const auto card = card_in(standing, awaits_pin);
    const auto before = card->memory();
    const auto ready = card->send(from_hex("80ca009200")).sw;
    const auto reply = card->send(bytes);
    REQUIRE(reply.sw == wanted);
    if (wanted == 0x9000) return;
    CHECK(reply.data.empty());
    REQUIRE(card->memory() == before);
    CHECK(card->send(from_hex("80ca009200")).sw == ready);
}

// What each fault answers, wherever the card stands; lengths are checked before the state.
std::vector<std::pair<Bytes, std::uint16_t>> faulty(const Row& row)
{
    const auto data = row.data();
    const auto le = right_le(row);
    const auto good = command(row, data, le);
    std::vector<std::pair<Bytes, std::uint16_t>> all;
    const auto with = [&](std::size_t at, int value) {
        auto bytes = good;
        bytes[at] = static_cast<std::uint8_t>(value);
        return bytes;
    };
    for (const int cla : {0x01, 0x0C, 0x10, 0x40, 0x81, 0x84, 0x90, 0xFF})
        all.emplace_back(with(0, cla), 0x6E00);
    for (const int ins : {0x00, 0xC0, 0xB0, 0x35, 0xFF}) all.emplace_back(with(1, ins), 0x6D00);
    all.emplace_back(with(2, 0x7F), 0x6A86);
    if (row.header[1] == 0x30) {
        for (const auto kind : {Kind::top_up, Kind::payment, Kind::cancel})
            all.emplace_back(with(2, static_cast<int>(kind)), 0x6A86);
    }
    all.emplace_back(with(3, 0x7F), 0x6A86);
    all.emplace_back(Bytes(good.begin(), good.begin() + 3), 0x6700);

    auto extended = Bytes(good.begin(), good.begin() + 4);
    extended.insert(extended.end(), {0x00, 0x00, static_cast<std::uint8_t>(data.size())});
    extended.insert(extended.end(), data.begin(), data.end());
    all.emplace_back(extended, 0x6700);
    auto longer = good;
    longer.insert(longer.end(), {0x00, 0x00});
    all.emplace_back(longer, 0x6700);
    if (!data.empty()) all.emplace_back(Bytes(good.begin(), good.end() - 2), 0x6700);
    if (row.has_answer) all.emplace_back(command(row, data, {}), 0x6700);
    if (data.empty()) all.emplace_back(command(row, Bytes{1}, le), 0x6700);
    if (!data.empty() && row.header[1] != 0x20) all.emplace_back(command(row, {}, le), 0x6700);
    const bool fixed = data.size() == 4 || data.size() == 8 || data.size() == 16;
    if (fixed) {
        for (const std::size_t size : {std::size_t{1}, data.size() - 1, data.size() + 1})
            all.emplace_back(command(row, Bytes(size, 0x24), le), 0x6700);
    }
    return all;
}

}  // namespace

TEST_CASE("each command works in the states that section 6 names and answers 6985 in the others",
          "[applet]")
{
    int worked = 0, refused = 0;
    for (const auto& row : table()) {
        for (const auto standing : standings) {
            INFO(row.name << " in standing " << static_cast<int>(standing));
            const bool is_fine = works(row, standing);
            check(standing, command(row, row.data(), right_le(row)), is_fine ? 0x9000 : 0x6985,
                  row.awaits_pin);
            (is_fine ? worked : refused) += 1;
        }
    }
    CHECK(worked == 2 * 6 + 8 * 3 + 2 + 1);
    CHECK(worked + refused == 13 * 6);
}

TEST_CASE("class, instruction, P1 P2 and length are checked before the state", "[applet]")
{
    int tried = 0;
    for (const auto& row : table()) {
        for (const auto standing : standings) {
            for (const auto& [bytes, wanted] : faulty(row)) {
                INFO(row.name << " in standing " << static_cast<int>(standing) << ", "
                              << to_hex(bytes));
                check(standing, bytes, wanted);
                ++tried;
            }
        }
    }
    CHECK(tried > 1200);
}

TEST_CASE("a response longer than Le answers 6Cxx and changes nothing", "[applet]")
{
    int tried = 0;
    for (const auto& row : table()) {
        if (!row.has_answer || std::string(row.name) == "GET CHALLENGE") continue;
        for (const auto standing : standings) {
            if (!works(row, standing)) continue;
            INFO(row.name << " in standing " << static_cast<int>(standing));
            const auto size = card_in(standing)->send(command(row, row.data(), 0)).data.size();
            const auto le = [](std::size_t n) { return static_cast<std::uint8_t>(n); };
            check(standing, command(row, row.data(), le(size - 1)),
                  static_cast<std::uint16_t>(0x6C00 | size));
            check(standing, command(row, row.data(), 1), static_cast<std::uint16_t>(0x6C00 | size));
            check(standing, command(row, row.data(), le(size)), 0x9000);
            ++tried;
        }
    }
    CHECK(tried == 6 + 5 * 3 + 2);
}

TEST_CASE("no other class or instruction is known, and no other P1 P2", "[applet]")
{
    IssuedCard card;
    const auto before = card.memory();
    const auto rows = table();
    int known = 0, fitting = 0;
    for (int cla_ins = 0; cla_ins < 0x10000; ++cla_ins) {
        const int cla = cla_ins >> 8, ins = cla_ins & 0xFF;
        const auto byte = [](int n) { return static_cast<std::uint8_t>(n); };
        bool is_known = false;
        for (const auto& row : rows) is_known |= row.header[0] == cla && row.header[1] == ins;
        const auto sw = card.send(Bytes{byte(cla), byte(ins), 0x7F, 0x7F}).sw;
        CHECK(sw == (is_known ? 0x6A86 : cla == 0x00 || cla == 0x80 ? 0x6D00 : 0x6E00));
        if (!is_known) continue;
        ++known;
        for (int p1_p2 = 0; p1_p2 < 0x10000; ++p1_p2) {
            const Bytes bytes{byte(cla), byte(ins), byte(p1_p2 >> 8), byte(p1_p2), 0, 0};
            const auto p_sw = card.send(bytes).sw;
            if (p_sw != 0x6A86) ++fitting;
        }
    }
    CHECK(known == 11);
    // Two share theirs with another one, and REQUEST has three kinds.
    CHECK(fitting == 11 + 2 + 2);
    CHECK(card.memory() == before);
}
