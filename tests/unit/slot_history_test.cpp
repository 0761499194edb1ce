// SPDX-License-Identifier: Apache-2.0
// What one odd look at a reader is taken for.
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

// A history whose first look is behind it: its counter does not lag any more.
class Followed {
public:
    explicit Followed(const Slot& last) : history_(last)
    {
        const auto before = static_cast<std::uint16_t>(last.counter() - 2);
        history_ = SlotHistory(last.has_card() ? card(before) : no_card(before));
        CHECK(history_.take(last, now_) == 2);
    }
    unsigned take(const Slot& slot, std::chrono::milliseconds later = 1ms)
    {
        return history_.take(slot, now_ += later);
    }
    bool is_torn() const { return history_.is_torn(); }
    bool has_card() const { return history_.has_card(); }

private:
    SlotHistory history_;
    SlotHistory::Clock::time_point now_{};
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
    CHECK(slot.take(card(5)) == 0);
    CHECK(slot.take(no_card(6)) == 1);

    SECTION("in the very first look, too")
    {
        SlotHistory fresh(card(4));
        const auto now = SlotHistory::Clock::time_point{} + 1h;
        CHECK(fresh.take(card(4), now) == 0);
        CHECK(fresh.take(card(5), now) == 0);
        CHECK(fresh.take(no_card(6), now) == 1);
        CHECK(fresh.take(no_card(7), now) == 0);
        CHECK(fresh.is_torn());
    }
    SECTION("and be passed over by the next tap")
    {
        SlotHistory fresh(card(4));
        const auto now = SlotHistory::Clock::time_point{} + 1h;
        CHECK(fresh.take(no_card(6), now) == 1);
        CHECK(!fresh.is_torn());
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
    Followed slot(card(4));
    CHECK(slot.take(unavailable()) == 1);
    CHECK(!slot.has_card());
    CHECK(slot.take(unavailable()) == 0);
    SECTION("with the card")
    {
        CHECK(slot.take(card(5)) == 1);
        CHECK(slot.take(no_card(6)) == 1);
    }
    SECTION("without it")
    {
        CHECK(slot.take(no_card(5)) == 0);
        CHECK(slot.take(card(6)) == 1);
    }
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
    const auto at = SlotHistory::Clock::time_point{} + 1h;
    for (const auto counter :
         {std::uint16_t{4}, std::uint16_t{5}}) {  // as it was, or having lagged
        SlotHistory slot(card_without_atr(4));
        CHECK(!slot.has_card());
        CHECK(slot.take(card_without_atr(4), at) == 0);
        CHECK(slot.is_torn());
        CHECK(slot.take(card(counter), at) == 1);
        CHECK(!slot.is_torn());
    }
}
