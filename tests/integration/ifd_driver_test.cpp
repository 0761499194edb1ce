// SPDX-License-Identifier: Apache-2.0
// Our driver in a real pcscd: cards that come and go, and that do not behave.
#include <catch2/catch.hpp>

#include <csignal>
#include <functional>
#include <future>
#include <thread>

#include "support/card_program.hpp"
#include "support/ifd_world.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const Bytes get_challenge = from_hex("0084000008");
const Bytes ok = from_hex("9000");

// A card program that does as it is told, on a thread of its own, for as long as this lives.
class RunningProgram {
public:
    RunningProgram(int slot, std::function<void(const CardProgram&)> run)
        : program_(CardProgram::at(slot_socket(slot))),
          thread_([this, run = std::move(run)] { run(program_); })
    {
    }
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;
    ~RunningProgram()
    {
        program_.hang_up();
        thread_.join();
    }

private:
    CardProgram program_;
    std::thread thread_;
};

// A card that answers its ATR whenever it is asked, until this command comes; or for ever.
void power_until(const CardProgram& program, const Bytes& command)
{
    for (auto message = program.receive_message(); !message.empty() && message != command;
         message = program.receive_message()) {
        if (message == Bytes{4}) program.answer(t1_atr);
    }
}

// Until a card in this slot answers, as any program would find it.
void check_usable(IfdWorld& world, int slot)
{
    const VpcdCard card(slot_socket(slot), t1_atr, echo);
    REQUIRE(world.reader->wait_for_card(10s));
    CHECK(PlainCard(slot_name(slot)).transmit(get_challenge).code == SCARD_S_SUCCESS);
}

}  // namespace

TEST_CASE("a card is seen to come and to go", "[pcsc][ifd]")
{
    IfdWorld world({}, 2);
    CHECK(world.reader->card().error().code == Errc::no_card);
    for (int tap = 0; tap < 50; ++tap) {
        const auto atr = tap % 2 == 0 ? t1_atr : t0_atr;
        {
            const VpcdCard card(slot_socket(2), atr, echo);
            const auto seen = world.reader->wait_for_card(10s);
            REQUIRE(seen);
            CHECK(bytes_of(seen->bytes()) == atr);
        }
        REQUIRE(world.reader->wait_for_removal(10s));
    }
}

TEST_CASE("a card that is replaced at once is another card", "[pcsc][ifd]")
{
    IfdWorld world;
    auto first = std::make_unique<VpcdCard>(slot_socket(0), t1_atr, echo);
    REQUIRE(world.reader->wait_for_card(10s));
    const PlainCard program(slot_name(0));
    REQUIRE(program.transmit(get_challenge).code == SCARD_S_SUCCESS);
    first.reset();
    const VpcdCard second(slot_socket(0), t1_atr, echo);
    // Whoever held the first card is told, and the second hears nothing of what was meant for it.
    CHECK(program.transmit(get_challenge).code != SCARD_S_SUCCESS);
    CHECK(second.commands() == 0);
    wait_until("the second card is found", [] {
        return PlainCard(slot_name(0)).transmit(get_challenge).code == SCARD_S_SUCCESS;
    });
}

TEST_CASE("the driver says what it is, and leaves the rest to pcscd", "[pcsc][ifd]")
{
    IfdWorld world({}, 1);
    const VpcdCard card(slot_socket(1), t1_atr, echo);
    REQUIRE(world.reader->wait_for_card(10s));
    const PlainCard program(slot_name(1));
    const auto text = [&](DWORD tag) {
        const auto value = program.attribute(tag).value_or(Bytes{'?'});
        return std::string(value.begin(), std::ranges::find(value, 0));
    };
    CHECK(program.attribute(SCARD_ATTR_ATR_STRING) == t1_atr);
    CHECK(text(SCARD_ATTR_VENDOR_NAME) == "tallycard");
    CHECK(text(SCARD_ATTR_VENDOR_IFD_SERIAL_NO) == "TEST-1");
    CHECK(program.attribute(SCARD_ATTR_VENDOR_IFD_VERSION).value().size() == 4);
    CHECK(program.attribute(SCARD_ATTR_ICC_PRESENCE) == Bytes{2});
    CHECK(program.attribute(SCARD_ATTR_ICC_INTERFACE_STATUS) == Bytes{1});
    CHECK(text(SCARD_ATTR_DEVICE_FRIENDLY_NAME) == slot_name(1));
    CHECK(!program.attribute(SCARD_ATTR_ESC_RESET));
}

TEST_CASE("a card is spoken to in a protocol of its ATR", "[pcsc][ifd]")
{
    IfdWorld world;
    struct Case {
        Bytes atr;
        bool t0, t1;
    };
    const std::vector<Case> cases = {{from_hex("3b800181"), false, true},
                                     {t0_atr, true, false},
                                     {from_hex("3b00"), true, false},
                                     {from_hex("3b80800101"), true, true}};
    for (const auto& [atr, t0, t1] : cases) {
        REQUIRE(world.reader->wait_for_removal(10s));
        const VpcdCard card(slot_socket(0), atr, echo);
        REQUIRE(world.reader->wait_for_card(10s));
        const auto connects = [](DWORD protocol) {
            return PlainCard(slot_name(0), protocol).connected() == SCARD_S_SUCCESS;
        };
        CHECK(connects(SCARD_PROTOCOL_T0) == t0);
        if (!(t0 && t1)) CHECK(connects(SCARD_PROTOCOL_T1) == t1);
    }
}

TEST_CASE("commands pass as they are, short and extended", "[pcsc][ifd]")
{
    IfdWorld world;
    const VpcdCard card(slot_socket(0), t1_atr, echo);
    REQUIRE(world.reader->wait_for_card(10s));
    const PlainCard program(slot_name(0));
    for (const std::size_t size : {4u, 5u, 261u, 262u, 4096u, 65000u}) {
        Bytes command(size);
        for (std::size_t i = 0; i < size; ++i) command[i] = static_cast<std::uint8_t>(i * 7);
        const auto answer = program.transmit(command);
        REQUIRE(answer.code == SCARD_S_SUCCESS);
        CHECK(answer.bytes == echo(command));
    }
    CHECK(program.transmit(get_challenge, 4).code != SCARD_S_SUCCESS);  // no room for the answer
    CHECK(program.transmit(get_challenge).code == SCARD_S_SUCCESS);
}

TEST_CASE("a card that leaves in the middle of a command is an error", "[pcsc][ifd]")
{
    IfdWorld world;
    {
        const VpcdCard card(slot_socket(0), t1_atr,
                            [](auto) -> std::optional<Bytes> { return std::nullopt; });
        REQUIRE(world.reader->wait_for_card(10s));
        const auto link = world.reader->connect(Sharing::shared).value();
        std::array<std::uint8_t, 258> answer{};
        const auto size = link->transmit(get_challenge, answer);
        REQUIRE(!size);
        CHECK(size.error().effect == Effect::unknown);
        CHECK(size.error().detail != 0);  // it was not success with nothing in it
    }
    REQUIRE(world.reader->wait_for_removal(10s));
    check_usable(world, 0);
}

TEST_CASE("a mute card is given up at the deadline", "[pcsc][ifd]")
{
    IfdWorld world("deadline-ms = 500\n");
    const VpcdCard other(slot_socket(1), t1_atr, echo);
    const auto other_reader = open_pcsc().value()->open(slot_name(1)).value();
    REQUIRE(other_reader->wait_for_card(10s));
    {
        const RunningProgram mute(0, [](const auto& program) { power_until(program, {}); });
        REQUIRE(world.reader->wait_for_card(10s));
        const PlainCard program(slot_name(0));
        REQUIRE(program.connected() == SCARD_S_SUCCESS);
        auto waiting =
            std::async(std::launch::async, [&] { return program.transmit(get_challenge).code; });
        CHECK(PlainCard(slot_name(1)).transmit(get_challenge).code == SCARD_S_SUCCESS);
        CHECK(waiting.get() == SCARD_E_NOT_TRANSACTED);
        REQUIRE(world.reader->wait_for_removal(10s));  // it was hung up on
    }
    check_usable(world, 0);
}

TEST_CASE("there is one card in a slot", "[pcsc][ifd]")
{
    IfdWorld world;
    const VpcdCard card(slot_socket(0), t1_atr, echo);
    REQUIRE(world.reader->wait_for_card(10s));
    const auto second = CardProgram::at(slot_socket(0));
    second.wait_for_hang_up();
    CHECK(PlainCard(slot_name(0)).transmit(get_challenge).code == SCARD_S_SUCCESS);
}

TEST_CASE("a card program that makes no sense harms nobody", "[pcsc][ifd]")
{
    IfdWorld world("deadline-ms = 1000\n");
    // What it says at once, and what it answers to a command after a good start.
    for (const auto* greeting : {"ffff", "0000", "0001ff", "0004deadbeef"}) {
        const auto program = CardProgram::at(slot_socket(0));
        program.send(from_hex(greeting));
        program.wait_for_hang_up();
    }
    for (const auto* answer : {"", "00", "0000", "000190", "ffff9000", "00029000ff"}) {
        REQUIRE(world.reader->wait_for_removal(10s));
        const RunningProgram card(0, [&](const auto& program) {
            power_until(program, get_challenge);
            if (*answer != '\0') program.send(from_hex(answer));
            program.wait_for_hang_up();
        });
        REQUIRE(world.reader->wait_for_card(10s));
        const PlainCard plain(slot_name(0));
        REQUIRE(plain.connected() == SCARD_S_SUCCESS);
        CHECK(plain.transmit(get_challenge).code == SCARD_E_NOT_TRANSACTED);
    }
    REQUIRE(world.reader->wait_for_removal(10s));
    check_usable(world, 0);
}

TEST_CASE("slots outlive pcscd's death, and a dead one's sockets are taken over", "[pcsc][ifd]")
{
    IfdWorld world;
    {
        const VpcdCard card(slot_socket(0), t1_atr, echo);
        REQUIRE(world.reader->wait_for_card(10s));
        world.pcscd.stop(SIGKILL);
    }
    world.pcscd.start();
    world.reader = open_pcsc().value()->open(slot_name(0)).value();
    check_usable(world, 0);
}
