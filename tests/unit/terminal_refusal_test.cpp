// SPDX-License-Identifier: Apache-2.0
// What a terminal refuses by itself, and what it takes for a refusal.
#include <limits>

#include <catch2/catch.hpp>

#include "support/terminal_world.hpp"
#include "terminal/contact.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));
const auto one = Amount::minor_units(1'00);

struct World : TerminalWorld {
    World() { issuer.open_account(shop).value(); }
};

Errc refusal(const Outcome& outcome)
{
    REQUIRE(std::holds_alternative<NotApplied>(outcome));
    return std::get<NotApplied>(outcome).reason.code;
}

}  // namespace

TEST_CASE("an id names one operation, with its account and its parameter too", "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    const auto other = test::account_id("SHOP-2");
    world.issuer.open_account(other).value();
    auto id = world.next_id();
    CHECK(std::holds_alternative<Applied>(world.terminal.transfer_out(*seat, id, one, shop)));
    CHECK(refusal(world.terminal.transfer_out(*seat, id, one, other)) == Errc::conflict);
    CHECK(refusal(world.terminal.transfer_out(*seat, id, Amount::minor_units(2'00), shop)) ==
          Errc::conflict);
    id = world.next_id();
    Limits limits{.maximum_balance = Balance::minor_units(1000'00),
                  .maximum_amount = Balance::minor_units(200'00),
                  .pin_above = Balance::minor_units(50'00),
                  .offline_payments = 15,
                  .offline_total = Balance::minor_units(500'00)};
    CHECK(std::holds_alternative<Applied>(
        world.terminal.administer(*seat, id, Kind::set_limits, limits)));
    limits.offline_payments = 14;
    CHECK(refusal(world.terminal.administer(*seat, id, Kind::set_limits, limits)) ==
          Errc::conflict);
}

TEST_CASE("what would not fit on the card is refused before it is signed", "[terminal][I8]")
{
    World world;
    auto seat = world.funded_seat();
    const auto all = Balance::minor_units(std::numeric_limits<std::int64_t>::max());
    Limits limits{.maximum_balance = Balance::minor_units(100'50),
                  .maximum_amount = all,
                  .pin_above = all,
                  .offline_payments = 15,
                  .offline_total = all};
    const auto set = [&] {
        return world.terminal.administer(*seat, world.next_id(), Kind::set_limits, limits);
    };
    CHECK(std::holds_alternative<Applied>(set()));
    CHECK(refusal(world.terminal.top_up(*seat, world.next_id(), one)) == Errc::balance_limit);
    limits.maximum_balance = all;
    CHECK(std::holds_alternative<Applied>(set()));
    const auto most = Amount::minor_units(std::numeric_limits<std::int64_t>::max());
    CHECK(refusal(world.terminal.top_up(*seat, world.next_id(), most)) == Errc::balance_limit);
    CHECK((*seat).exchanges_of(0x32) == 2);  // the limits' own
}

TEST_CASE("a PIN that fails the second time leaves the transfer unasked", "[terminal]")
{
    World world;
    auto seat = world.funded_seat();
    const auto pin = TerminalWorld::pin();
    (*seat).restart({Fault::only_status(1, 0x63C2).of(0x20)});
    CHECK(refusal(world.terminal.transfer_out(*seat, world.next_id(), one, shop, &pin)) ==
          Errc::wrong_pin);
    const auto wrong = TerminalWorld::pin("4712");
    CHECK(refusal(world.terminal.pay(*seat, world.next_id(), one, shop, &wrong)) ==
          Errc::wrong_pin);
    CHECK(world.on_card(seat) == TerminalWorld::start);
}

TEST_CASE("a card that executed nothing yet pays nothing, and is no foreign one", "[terminal]")
{
    World world;
    auto seat = world.seat();
    CHECK(refusal(world.terminal.pay(*seat, world.next_id(), one, shop)) == Errc::balance_too_low);
}

TEST_CASE("a blank card is told from an issued one", "[terminal]")
{
    World world;
    std::array<std::uint8_t, TransportKey::size> key{};
    std::vector<LoopbackCard> cards(1);
    cards[0] = {.image = world.issuer.folder().file("blank"),
                .transport_key = TransportKey(key),
                .protocol = TransmissionProtocol::t1,
                .durable = false};
    const auto driver = open_loopback(std::move(cards)).value();
    const auto card =
        driver->open(driver->list().value().at(0)).value()->connect(Sharing::shared).value();
    CHECK(refusal(world.terminal.top_up(*card, world.next_id(), one)) == Errc::blank_card);
    CHECK(refusal(world.terminal.pay(*card, world.next_id(), one, shop)) == Errc::blank_card);
    const auto again = world.terminal.pay(*card, world.next_id(), one, shop, nullptr, Asked::again);
    REQUIRE(std::holds_alternative<InDoubt>(again));
    CHECK(std::get<InDoubt>(again).reason.code == Errc::blank_card);
}

TEST_CASE("only a refusal by name is one, and a PIN's error is none", "[terminal]")
{
    using contact::is_pin_error;
    using contact::is_refusal;
    const Error named{.code = Errc::balance_limit, .sw = StatusWord(0x9403)};
    CHECK(is_refusal(named));
    auto error = named;
    error.effect = Effect::unknown;
    CHECK_FALSE(is_refusal(error));
    error = named;
    error.sw = {};
    CHECK_FALSE(is_refusal(error));
    for (const auto code : {Errc::memory_failure, Errc::wrong_sequence, Errc::wrong_pin,
                            Errc::pin_blocked, Errc::no_pin}) {
        error = named;
        error.code = code;
        CHECK_FALSE(is_refusal(error));
        CHECK(is_pin_error(error) ==
              (code != Errc::memory_failure && code != Errc::wrong_sequence));
    }
    for (const auto code : {Errc::cancelled, Errc::timed_out}) {
        CHECK(is_pin_error({.code = code, .sw = StatusWord(0x6400)}));
        CHECK_FALSE(is_pin_error({.code = code, .sw = StatusWord(0x6F00)}));
    }
    CHECK_FALSE(is_pin_error({.code = Errc::link_failed, .sw = StatusWord(0x6401)}));
}
