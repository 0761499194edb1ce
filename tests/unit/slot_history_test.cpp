// SPDX-License-Identifier: Apache-2.0
// How a reader is followed over odd looks.
#include <catch2/catch.hpp>

#include <array>

#include "../../readers/pcsc/slot_history.hpp"

using namespace tallycard;
using pcsc::Slot, pcsc::SlotHistory;
using namespace std::chrono_literals;

namespace {

constexpr std::array<std::uint8_t, 2> some_atr = {0x3B, 0x00};

Slot card(std::uint16_t counter)
{
    return {.state = SCARD_STATE_PRESENT | DWORD{counter} << 16, .atr = Atr(some_atr)};
}

Slot no_card(std::uint16_t counter)
{
    return {.state = SCARD_STATE_EMPTY | DWORD{counter} << 16, .atr = {}};
}

Slot card_without_atr(std::uint16_t counter)
{
    return {.state = SCARD_STATE_PRESENT | DWORD{counter} << 16, .atr = {}};
}

Slot unavailable()
{
    return {.state = SCARD_STATE_UNAVAILABLE, .atr = {}};
}

using Time = SlotHistory::Clock::time_point;

// A history that began so long ago that its counter does not lag any more.
class Followed {
public:
    explicit Followed(const Slot& first)
    {
        CHECK(history_.take(first, now_) == (first.has_card() ? 1 : 0));
        now_ += SlotHistory::longest_lag;
    }
    unsigned take(const Slot& slot, std::chrono::milliseconds later = 1ms)
    {
        return history_.take(slot, now_ += later);
    }
    bool is_torn() const { return history_.is_torn(); }
    bool has_card() const { return history_.has_card(); }

private:
    SlotHistory history_;
    Time now_{};
};

}  // namespace

TEST_CASE("every insertion and removal is counted, those that nobody saw as well", "[monitor]")
{
    Followed slot(no_card(4));
    CHECK(slot.take(card(5)) == 1);
    CHECK(slot.take(card(5)) == 0);
    CHECK(slot.take(card(7)) == 2);
    CHECK(slot.take(no_card(10)) == 3);
    CHECK(slot.take(no_card(12)) == 2);
    CHECK(!slot.is_torn());
}

TEST_CASE("a counter that lags behind the presence is waited for", "[monitor]")
{
    Followed slot(no_card(4));
    CHECK(slot.take(card(4)) == 0);
    CHECK(slot.is_torn());
    CHECK(!slot.has_card());
    CHECK(slot.take(card(5)) == 1);
    CHECK(!slot.is_torn());

    SECTION("and a presence that lags behind the counter")
    {
        CHECK(slot.take(card(6)) == 0);
        CHECK(slot.is_torn());
        CHECK(slot.take(no_card(6)) == 1);
    }
    SECTION("and an older look that came late")
    {
        CHECK(slot.take(no_card(4)) == 0);
        CHECK(slot.is_torn());
        CHECK(slot.take(card(5)) == 0);
    }
    CHECK(!slot.is_torn());
}

TEST_CASE("a counter may lag longer than a torn look is waited for", "[monitor]")
{
    Followed slot(no_card(4));
    CHECK(slot.take(card(4)) == 0);
    CHECK(slot.take(card(4), SlotHistory::longest_tear - 1ms) == 0);
    CHECK(slot.take(card(4), 1ms) == 1);
    CHECK(slot.has_card());

    SECTION("and follows")
    {
        CHECK(slot.take(card(5), SlotHistory::longest_lag - 1ms) == 0);
        CHECK(slot.take(no_card(6)) == 1);
    }
    SECTION("and is passed over by the next tap")
    {
        CHECK(slot.take(no_card(6)) == 1);
    }
    SECTION("but not for ever")
    {
        CHECK(slot.take(card(5), SlotHistory::longest_lag) == 0);
        CHECK(slot.is_torn());
        CHECK(slot.take(card(6)) == 2);
    }
    CHECK(!slot.is_torn());
}

TEST_CASE("the counter of the very first look may lag as well", "[monitor]")
{
    const auto now = Time{} + 1h;
    SlotHistory slot;
    CHECK(slot.take(card(4), now) == 1);
    CHECK(slot.take(card(4), now) == 0);
    SECTION("and follows")
    {
        CHECK(slot.take(card(5), now) == 0);
        CHECK(slot.take(no_card(6), now) == 1);
        CHECK(slot.take(no_card(7), now) == 0);
        CHECK(slot.is_torn());
    }
    SECTION("and is passed over by the next tap")
    {
        CHECK(slot.take(no_card(6), now) == 1);
        CHECK(!slot.is_torn());
    }
    SECTION("but a tap that was missed hours later is one")
    {
        CHECK(slot.take(card(5), now + 1h) == 0);
        CHECK(slot.is_torn());
        CHECK(slot.take(card(6), now + 1h) == 2);
    }
}

TEST_CASE("torn looks that differ do not stand", "[monitor]")
{
    Followed slot(no_card(4));
    CHECK(slot.take(card(4)) == 0);
    CHECK(slot.take(no_card(5), SlotHistory::longest_tear + 1ms) == 0);
    CHECK(slot.is_torn());
    CHECK(slot.take(no_card(6)) == 2);
    CHECK(!slot.is_torn());

    SECTION("but end")
    {
        int looks = 1;
        auto torn = [&looks] { return looks % 2 == 0 ? no_card(7) : card(8); };
        while (slot.take(torn(), 0ms) == 0 && slot.is_torn()) REQUIRE(++looks < 1000);
        CHECK(looks == SlotHistory::most_torn_looks);
    }
}

TEST_CASE("the counter wraps", "[monitor]")
{
    Followed slot(no_card(0xFFFF));
    CHECK(slot.take(card(0)) == 1);
    CHECK(slot.take(no_card(1)) == 1);
    CHECK(!slot.is_torn());
}

TEST_CASE("a counter that stays odd belongs to a driver that recovered", "[monitor]")
{
    SECTION("an empty reader is still empty")
    {
        Followed slot(no_card(4));
        CHECK(slot.take(no_card(5)) == 0);
        CHECK(slot.is_torn());
        CHECK(slot.take(no_card(5), SlotHistory::longest_tear) == 0);
        CHECK(!slot.is_torn());
        CHECK(slot.take(card(6)) == 1);
        CHECK(slot.take(no_card(7)) == 1);
    }
    SECTION("a card was powered up anew")
    {
        Followed slot(card(4));
        CHECK(slot.take(card(5)) == 0);
        CHECK(slot.take(card(5), SlotHistory::longest_tear) == 2);
        CHECK(slot.has_card());
        CHECK(slot.take(no_card(6)) == 1);
    }
    SECTION("a removal is one, not three")
    {
        Followed slot(card(4));
        CHECK(slot.take(no_card(6)) == 0);
        CHECK(slot.take(no_card(6), SlotHistory::longest_tear) == 1);
    }
}

TEST_CASE("a counter that went back belongs to a reader that was plugged in again", "[monitor]")
{
    SECTION("with its card")
    {
        Followed slot(card(40));
        CHECK(slot.take(card(0)) == 0);
        CHECK(slot.take(card(0), SlotHistory::longest_tear) == 2);
        CHECK(slot.take(no_card(1)) == 1);
    }
    SECTION("without it")
    {
        Followed slot(card(40));
        CHECK(slot.take(no_card(1)) == 0);
        CHECK(slot.take(no_card(1), SlotHistory::longest_tear) == 1);
    }
    SECTION("empty")
    {
        Followed slot(no_card(40));
        CHECK(slot.take(no_card(0)) == 0);
        CHECK(slot.take(no_card(0), SlotHistory::longest_tear) == 0);
        CHECK(slot.take(card(1)) == 1);
    }
}

TEST_CASE("a driver that fails has no card, and has it again when it recovers", "[monitor]")
{
    Followed slot(card(40));
    CHECK(slot.take(unavailable()) == 1);
    CHECK(!slot.has_card());
    CHECK(slot.take(unavailable()) == 0);
    SECTION("with the card")
    {
        CHECK(slot.take(card(41), 1h) == 1);
        CHECK(slot.take(no_card(42)) == 1);
    }
    SECTION("without it")
    {
        CHECK(slot.take(no_card(41), 1h) == 0);
        CHECK(slot.take(card(42)) == 1);
    }
    SECTION("after a tap")
    {
        CHECK(slot.take(no_card(43), 1h) == 2);
    }
    CHECK(!slot.is_torn());
}

TEST_CASE("what a reader counted before the first look that says so is nothing", "[monitor]")
{
    SlotHistory slot;
    CHECK(slot.take(unavailable(), Time{}) == 0);
    SECTION("with a card")
    {
        CHECK(slot.take(card(41), Time{}) == 1);
    }
    SECTION("without one")
    {
        CHECK(slot.take(no_card(41), Time{}) == 0);
        CHECK(slot.take(card(42), Time{}) == 1);
    }
    CHECK(slot.has_card());
    CHECK(!slot.is_torn());
}

TEST_CASE("a card without its ATR is one that pcscd is still reading, for a while", "[monitor]")
{
    Followed slot(no_card(4));
    CHECK(slot.take(card_without_atr(5)) == 0);
    CHECK(slot.is_torn());
    SECTION("it comes")
    {
        CHECK(slot.take(card(5)) == 1);
    }
    SECTION("it never comes")
    {
        CHECK(slot.take(card_without_atr(5), SlotHistory::longest_tear) == 1);
        CHECK(slot.take(card_without_atr(5)) == 0);
        CHECK(slot.take(no_card(6)) == 1);
    }
    CHECK(!slot.is_torn());
}

TEST_CASE("a first look at a card without its ATR is not believed at once, either", "[monitor]")
{
    for (const auto counter : {std::uint16_t{4}, std::uint16_t{5}}) {  // the same, or having lagged
        SlotHistory slot;
        CHECK(slot.take(card_without_atr(4), Time{}) == 0);
        CHECK(!slot.has_card());
        CHECK(slot.is_torn());
        CHECK(slot.take(card(counter), Time{}) == 1);
        CHECK(!slot.is_torn());
    }
}
