// SPDX-License-Identifier: Apache-2.0
// What a reader makes of card programs that behave, and of those that do not.
#include <catch2/catch.hpp>

#include <chrono>
#include <functional>
#include <thread>

#include "../../readers/vpcd/vpcd_channel.hpp"
#include "support/card_program.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const Bytes atr = from_hex("3b89800154414c4c594341524450");
const Bytes command = from_hex("0084000008");
const Bytes ok = from_hex("9000");

// A channel, and a card program on a thread of its own at its other end.
class Pair {
public:
    using Program = std::function<void(CardProgram& program)>;

    explicit Pair(Program program) : Pair(new_pair(), std::move(program)) {}
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() { finish(); }
    void finish()
    {
        if (thread_.joinable()) thread_.join();
    }
    Result<std::size_t> transmit(const Bytes& bytes = command,
                                 std::chrono::milliseconds deadline = 10s)
    {
        return channel.transmit(bytes, buffer, deadline);
    }

    vpcd::Channel channel;
    CardProgram far;
    Bytes buffer = Bytes(300);

private:
    static std::array<int, 2> new_pair()
    {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        return ends;
    }
    Pair(std::array<int, 2> ends, Program program)
        : channel(Descriptor(ends[0])),
          far(ends[1]),
          thread_([this, run = std::move(program)] { run(far); })
    {
    }
    std::thread thread_;
};

// A card that takes the command, and then does this.
Pair::Program after_command(Pair::Program then)
{
    return [then = std::move(then)](CardProgram& card) {
        if (card.receive_message() == command) then(card);
    };
}

void check_doubt(const Result<std::size_t>& result, Errc code)
{
    REQUIRE(!result);
    CHECK(result.error().code == code);
    CHECK(result.error().effect == Effect::unknown);
}

}  // namespace

TEST_CASE("controls and commands go out as vpcd has them", "[vpcd]")
{
    bool as_expected = true;
    const auto expect = [&](const CardProgram& card, const char* hex) {
        const auto bytes = from_hex(hex);
        as_expected = as_expected && card.receive(bytes.size()) == bytes;
    };
    Pair pair([&](CardProgram& card) {
        expect(card, "000101000104");
        card.answer(atr);
        expect(card, "00050084000008");
        card.answer(ok);
        expect(card, "000102000104");
        card.answer(atr);
        expect(card, "000100");
    });
    const auto powered = pair.channel.power_on(10s);
    REQUIRE(powered);
    CHECK(bytes_of(powered->bytes()) == atr);
    const auto size = pair.transmit();
    REQUIRE(size);
    CHECK(Bytes(pair.buffer.begin(), pair.buffer.begin() + 2) == ok);
    CHECK(*size == 2);
    CHECK(pair.channel.reset(10s));
    CHECK(pair.channel.power_off(10s));
    pair.finish();
    CHECK(as_expected);
    CHECK(!pair.channel.is_gone());
}

TEST_CASE("an answer may come in any pieces, and fill the buffer", "[vpcd]")
{
    Bytes answer(300);
    for (std::size_t i = 0; i < answer.size(); ++i) answer[i] = static_cast<std::uint8_t>(i);
    Pair pair(after_command([&](CardProgram& card) {
        for (const auto byte : CardProgram::framed(answer)) card.send({byte});
    }));
    const auto size = pair.transmit();
    REQUIRE(size);
    CHECK(*size == answer.size());
    CHECK(pair.buffer == answer);
}

TEST_CASE("the longest command and the longest answer fit", "[vpcd]")
{
    const Bytes longest(vpcd::max_message, 0x5A);
    Pair pair([](CardProgram& card) { card.answer(card.receive_message()); });
    pair.buffer.resize(vpcd::max_message);
    const auto size = pair.transmit(longest);
    REQUIRE(size);
    CHECK(*size == longest.size());
    CHECK(pair.buffer == longest);
}

TEST_CASE("what is no command is not sent", "[vpcd]")
{
    Pair pair([](CardProgram&) {});
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, vpcd::max_message + 1}) {
        const auto result = pair.transmit(Bytes(size));
        REQUIRE(!result);
        CHECK(result.error().code == Errc::malformed);
        CHECK(result.error().effect == Effect::none);
    }
    CHECK(!pair.channel.is_gone());
}

TEST_CASE("a program that leaves in the middle of a command leaves doubt", "[vpcd]")
{
    const auto* sent = GENERATE("", "00", "0002", "000290");
    Pair pair(after_command([&](CardProgram& card) {
        if (*sent != '\0') card.send(from_hex(sent));
        card.leave();
    }));
    check_doubt(pair.transmit(), Errc::card_removed);
    CHECK(pair.channel.is_gone());
    const auto later = pair.transmit();
    REQUIRE(!later);
    CHECK(later.error().code == Errc::card_removed);
    CHECK(later.error().effect == Effect::none);
}

TEST_CASE("a program that says nothing, or not all, is hung up on at the deadline", "[vpcd]")
{
    const auto* sent = GENERATE("", "00", "0002", "000290");
    Pair pair(after_command([&](CardProgram& card) {
        if (*sent != '\0') card.send(from_hex(sent));
        card.wait_for_hang_up();
    }));
    check_doubt(pair.transmit(command, 20ms), Errc::timed_out);
    pair.finish();
    CHECK(pair.channel.is_gone());
}

TEST_CASE("a program that does not read is not waited for without end", "[vpcd]")
{
    Pair pair([](CardProgram&) {});
    const Bytes longest(vpcd::max_message);
    auto result = pair.transmit(longest, 1ms);
    REQUIRE(!result);
    CHECK(result.error().code == Errc::timed_out);
    CHECK(pair.channel.power_off(1ms).error().code == Errc::card_removed);
}

TEST_CASE("an answer of no byte or one is an error, and the card is still in", "[vpcd]")
{
    const auto* sent = GENERATE("0000", "000190");
    Pair pair([&](CardProgram& card) {
        for (int i = 0; i < 2; ++i) {
            card.receive_message();
            card.send(from_hex(i == 0 ? sent : "00029000"));
        }
    });
    check_doubt(pair.transmit(), Errc::link_failed);
    CHECK(pair.transmit().value() == 2);
}

TEST_CASE("a program that makes no sense is hung up on", "[vpcd]")
{
    const auto* sent = GENERATE("ffff", "012d00", "0002900000", "000290000002");
    Pair pair(after_command([&](CardProgram& card) { card.send(from_hex(sent)); }));
    check_doubt(pair.transmit(), Errc::link_failed);
    CHECK(pair.channel.is_gone());
}

TEST_CASE("what a program says unasked is never an answer", "[vpcd]")
{
    Pair pair([](CardProgram& card) { card.answer(ok); });
    pair.finish();
    const auto result = pair.transmit();
    REQUIRE(!result);
    CHECK(result.error().code == Errc::link_failed);
    CHECK(result.error().effect == Effect::none);
    CHECK(pair.channel.is_gone());
}

TEST_CASE("what is no ATR is refused", "[vpcd]")
{
    const auto* sent =
        GENERATE("0000", "00013b", "00023a00",
                 "00223b0000000000000000000000000000000000000000000000000000000000000000");
    Pair pair([&](CardProgram& card) {
        card.receive(6);
        card.send(from_hex(sent));
    });
    const auto powered = pair.channel.power_on(10s);
    REQUIRE(!powered);
    CHECK(powered.error().code == Errc::link_failed);
    CHECK(powered.error().effect == Effect::none);
    CHECK(pair.channel.is_gone());
}
