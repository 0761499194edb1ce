// SPDX-License-Identifier: Apache-2.0
// Presence as pcscd's event thread is to see it, and who hears a command.
#include <catch2/catch.hpp>

#include <poll.h>

#include <functional>
#include <thread>

#include "../../readers/atr_protocols.hpp"
#include "../../readers/ifd/ifd_slot.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;
using ifd::Card;
using ifd::Slot;

namespace {

class TestCard final : public Card {
public:
    Result<Atr> power_on() override { return Atr(from_hex("3b00")); }
    Result<Atr> reset() override { return power_on(); }
    Result<void> power_off() override { return {}; }
    Result<std::size_t> transmit(std::span<const std::uint8_t>,
                                 std::span<std::uint8_t> answer) override
    {
        ++commands;
        std::ranges::fill(answer.first(10), std::uint8_t{0x90});
        return std::size_t{10};
    }
    bool is_gone() const override { return gone; }
    bool gone = false;
    int commands = 0;
};

class TestSource final : public ifd::CardSource {
public:
    TestSource(std::shared_ptr<TestCard>& card, std::function<void()>& while_waiting)
        : card_(card), while_waiting_(while_waiting)
    {
    }
    std::shared_ptr<Card> card() override { return card_; }
    void wait(std::chrono::milliseconds at_most, int interrupt) override
    {
        if (while_waiting_) while_waiting_();
        pollfd waiting{interrupt, POLLIN, 0};
        ::poll(&waiting, 1, static_cast<int>(at_most.count()));
    }

private:
    std::shared_ptr<TestCard>& card_;
    std::function<void()>& while_waiting_;
};

struct World {
    std::shared_ptr<TestCard> card;
    std::function<void()> while_waiting;
    Slot slot{std::make_unique<TestSource>(card, while_waiting)};
    std::array<std::uint8_t, 258> answer{};
    Bytes command = from_hex("0084000008");
};

}  // namespace

TEST_CASE("what another thread takes notice of ends the event thread's wait", "[ifd]")
{
    World world;
    world.card = std::make_shared<TestCard>();
    world.slot.wait_for_change(0ms);
    CHECK(world.slot.is_present());
    const bool asks = GENERATE(true, false);
    // A source tells what happened once: to whoever asks first.
    world.while_waiting = [&] {
        std::thread([&] {
            world.card = std::make_shared<TestCard>();
            if (asks) CHECK_FALSE(world.slot.is_present());
            if (!asks) CHECK(world.slot.power_on());
        }).join();
    };
    const auto start = std::chrono::steady_clock::now();
    world.slot.wait_for_change(10s);
    CHECK(std::chrono::steady_clock::now() - start < 9s);
    CHECK_FALSE(world.slot.is_present());
}

TEST_CASE("a card that was replaced is absent until the event thread has seen that", "[ifd]")
{
    World world;
    world.slot.wait_for_change(0ms);  // this thread is the event thread
    CHECK(!world.slot.is_present());
    world.card = std::make_shared<TestCard>();
    world.slot.wait_for_change(10s);  // returns: there is something new
    CHECK(world.slot.is_present());
    world.card = std::make_shared<TestCard>();
    bool others = true;
    std::thread([&] { others = world.slot.is_present(); }).join();
    CHECK(!others);
    world.slot.wait_for_change(10s);
    CHECK(!world.slot.is_present());
    world.slot.wait_for_change(10s);
    CHECK(world.slot.is_present());
}

TEST_CASE("stopping ends a wait, also the one that comes next, and no other", "[ifd]")
{
    // pcscd stops the wait of its event thread at every disconnect: one that stayed stopped spun.
    World world;
    world.slot.stop_waiting();
    world.slot.stop_waiting();
    auto begin = std::chrono::steady_clock::now();
    world.slot.wait_for_change(10s);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    begin = std::chrono::steady_clock::now();
    world.slot.wait_for_change(20ms);
    CHECK(std::chrono::steady_clock::now() - begin >= 20ms);
    std::thread other([&] { world.slot.stop_waiting(); });
    begin = std::chrono::steady_clock::now();
    world.slot.wait_for_change(10s);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    other.join();
}

TEST_CASE("commands go to the card that was powered on", "[ifd]")
{
    World world;
    CHECK(world.slot.transmit(world.command, world.answer).error().code == Errc::no_card);
    CHECK(world.slot.power_on().error().code == Errc::no_card);
    world.card = std::make_shared<TestCard>();
    const auto first = world.card;
    CHECK(world.slot.transmit(world.command, world.answer).error().code == Errc::no_card);
    REQUIRE(world.slot.power_on());
    CHECK(world.slot.transmit(world.command, world.answer).value() == 10);
    world.card = std::make_shared<TestCard>();
    (void)world.slot.transmit(world.command, world.answer);
    CHECK(world.card->commands == 0);
    CHECK(first->commands == 2);
    CHECK(world.slot.atr());
    first->gone = true;
    CHECK(!world.slot.atr());
    REQUIRE(world.slot.reset());
    world.slot.power_off();
    CHECK(!world.slot.atr());
    CHECK(world.slot.transmit(world.command, world.answer).error().code == Errc::no_card);
}

TEST_CASE("an answer without room for it is an error that leaves doubt", "[ifd]")
{
    World world;
    world.card = std::make_shared<TestCard>();
    REQUIRE(world.slot.power_on());
    const auto size = world.slot.transmit(world.command, std::span(world.answer).first(9));
    REQUIRE(!size);
    CHECK(size.error().effect == Effect::unknown);
}

TEST_CASE("an ATR names its protocols", "[ifd]")
{
    struct Case {
        const char* atr;
        bool t0, t1;
    };
    for (const auto& [hex, t0, t1] :
         {Case{"3b00", true, false}, Case{"3b0954414c4c5943415244", true, false},
          Case{"3b800181", false, true}, Case{"3b80800101", true, true},
          Case{"3bf01800000181", false, true}, Case{"3b8080", true, false},
          Case{"3b80", true, false}, Case{"3bff", true, false}, Case{"3b", true, false}}) {
        INFO(hex);
        const Atr atr(from_hex(hex));
        CHECK(offers(atr, TransmissionProtocol::t0) == t0);
        CHECK(offers(atr, TransmissionProtocol::t1) == t1);
    }
}
