// SPDX-License-Identifier: Apache-2.0
// What the card says is changed on its way to the terminal.
#include <catch2/catch.hpp>

#include "support/forwarding_link.hpp"
#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));
const auto one = Amount::minor_units(1'00);

// One bit of one answer is another one.
class FlippingLink final : public ForwardingLink {
public:
    FlippingLink(CardLink& below, std::size_t bit) : ForwardingLink(below), left_(bit) {}
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer) override
    {
        auto size = ForwardingLink::transmit(command, answer);
        const auto bits = size ? *size * 8 : 0;
        if (!has_flipped() && left_ < bits)
            answer[left_ / 8] ^= static_cast<std::uint8_t>(1U << left_ % 8);
        left_ = left_ < bits ? flipped : left_ - (has_flipped() ? 0 : bits);
        return size;
    }
    bool has_flipped() const { return left_ == flipped; }

private:
    static constexpr auto flipped = static_cast<std::size_t>(-1);
    std::size_t left_;
};

}  // namespace

TEST_CASE("a payment that is asked for again is made once, whichever bit of an answer is flipped",
          "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto id = world.next_id();
    REQUIRE(std::holds_alternative<Applied>(world.terminal.pay(*seat, id, one, shop)));
    REQUIRE(std::holds_alternative<Applied>(world.terminal.pay(*seat, world.next_id(), one, shop)));
    const auto paid = world.on_card(seat);
    bool has_flipped = true;
    std::size_t bit = 0;
    for (; has_flipped; bit += 3) {  // each byte, and each bit of a byte, has its turn
        CAPTURE(bit);
        FlippingLink link(*seat, bit);
        const auto again = world.terminal.pay(link, id, one, shop, nullptr, Asked::again);
        has_flipped = link.has_flipped();
        // Where it was one that matters, nobody knows; that it did not happen is never said.
        REQUIRE_FALSE(std::holds_alternative<NotApplied>(again));
        REQUIRE(world.on_card(seat) == paid);
    }
    CHECK(bit > 2000);
    REQUIRE(std::holds_alternative<Applied>(
        world.terminal.pay(*seat, id, one, shop, nullptr, Asked::again)));
}
