// SPDX-License-Identifier: Apache-2.0
// Whole operations when the link to the card loses, garbles, truncates and repeats, at every step:
// what the terminal says is true, and after a resolve everything is definite.
#include <functional>

#include <catch2/catch.hpp>

#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));
const auto one = Amount::minor_units(1'00);

struct Scenario {
    const char* name;
    std::int64_t change;  // of the card's balance, where it applies
    std::function<Outcome(Terminal&, CardLink&, const OperationId&, Asked)> ask;
};

const Scenario scenarios[] = {
    {"top-up", 1'00,
     [](Terminal& terminal, CardLink& card, const OperationId& id, Asked) {
         return terminal.top_up(card, id, one);
     }},
    {"cash-out with PIN", -1'00,
     [](Terminal& terminal, CardLink& card, const OperationId& id, Asked) {
         const auto pin = TerminalWorld::pin();
         return terminal.cash_out(card, id, one, &pin);
     }},
    {"transfer out", -1'00,
     [](Terminal& terminal, CardLink& card, const OperationId& id, Asked) {
         return terminal.transfer_out(card, id, one, shop);
     }},
    {"transfer in", 1'00,
     [](Terminal& terminal, CardLink& card, const OperationId& id, Asked) {
         auto owner = test::account_owner();
         return terminal.transfer_in(card, id, one, shop, &owner);
     }},
    {"payment", -1'00,
     [](Terminal& terminal, CardLink& card, const OperationId& id, Asked asked) {
         return terminal.pay(card, id, one, shop, nullptr, asked);
     }},
    {"reset PIN tries", 0,
     [](Terminal& terminal, CardLink& card, const OperationId& id, Asked) {
         return terminal.administer(card, id, Kind::reset_pin_tries);
     }},
};

// A refusal that the card never gave, by name, is a lie that only a signature could uncover: PAY
// has none to give. All else must be seen through.
bool is_credible_lie(const Fault& fault)
{
    return fault.kind == Fault::Kind::status && fault.value == 0x9401;
}

// How far the card is ahead of the platform: each of those results is in its log.
std::uint32_t unsettled(TerminalWorld& world, const TerminalWorld::Seat& seat)
{
    const auto settled = world.issuer->standing(seat.card_id, std::nullopt).value().settled;
    auto session = CardSession::begin(*seat, world.root.public_key()).value();
    const auto sequence = session.info().sequence;
    REQUIRE(sequence >= settled);
    for (auto ahead = settled + 1; ahead <= sequence; ++ahead) CHECK(session.result(ahead));
    return sequence - settled;
}

struct Count {
    int fired = 0, applied = 0, refused = 0, in_doubt = 0, ahead = 0;
};

void break_once(TerminalWorld& world, TerminalWorld::Seat& seat, const Scenario& scenario,
                const Fault& fault, Count& count)
{
    const auto before = world.on_card(seat);
    const auto id = world.next_id();
    (*seat).restart({fault});
    const auto first = scenario.ask(world.terminal, *seat, id, Asked::first_time);
    count.fired += (*seat).faults_fired() > 0;
    (*seat).restart();
    (*seat).insert();

    const bool was_applied = std::holds_alternative<Applied>(first);
    const bool was_refused = std::holds_alternative<NotApplied>(first);
    if (was_applied) CHECK(world.on_card(seat) == before + scenario.change);
    if (was_refused) CHECK(world.on_card(seat) == before);
    ++(was_applied ? count.applied : was_refused ? count.refused : count.in_doubt);

    const auto ahead = unsettled(world, seat);
    CHECK(ahead <= 1);  // I4: one operation at a time
    count.ahead += ahead == 1;
    REQUIRE(world.terminal.resolve(*seat));
    CHECK(unsettled(world, seat) == 0);
    const auto after = world.on_card(seat);
    CHECK((after == before || after == before + scenario.change));
    if (!was_refused) {
        const auto again = scenario.ask(world.terminal, *seat, id, Asked::again);
        CHECK_FALSE(std::holds_alternative<InDoubt>(again));
        if (was_applied) CHECK(std::holds_alternative<Applied>(again));
        if (std::holds_alternative<Applied>(again) && after == before + scenario.change)
            CHECK(world.on_card(seat) == after);  // asking twice was asking once
        REQUIRE(world.terminal.resolve(*seat));
    }
    const auto standing = world.issuer->standing(seat.card_id, std::nullopt).value();
    CHECK_FALSE(standing.pending);
    CHECK_FALSE(standing.denied);
    CHECK(world.balance(seat) == world.on_card(seat));  // I2
    CHECK(world.sum_of_books() == 0);                   // I3
}

}  // namespace

TEST_CASE("I1 I2 I3 I4 I9: wherever the link breaks, outcomes are true and become definite",
          "[terminal][I1][I2][I3][I4][I9]")
{
    for (const auto protocol : {TransmissionProtocol::t1, TransmissionProtocol::t0}) {
        TerminalWorld world;
        auto seat = world.funded_seat(protocol);
        REQUIRE(world.issuer.open_account(shop));
        for (int i = 0; i < 40; ++i)  // funds for the transfers in
            REQUIRE(std::holds_alternative<Applied>(
                world.terminal.transfer_out(*seat, world.next_id(), one, shop)));
        for (const auto& scenario : scenarios) {
            (*seat).restart();
            REQUIRE(std::holds_alternative<Applied>(
                scenario.ask(world.terminal, *seat, world.next_id(), Asked::first_time)));
            REQUIRE(world.terminal.resolve(*seat));
            const auto steps = (*seat).exchanges();
            Count count;
            for (std::size_t step = 0; step < steps; ++step) {
                for (const auto& fault : Fault::each_kind(step)) {
                    if (is_credible_lie(fault)) continue;
                    CAPTURE(scenario.name, step, fault.name(), fault.value,
                            static_cast<int>(protocol));
                    break_once(world, seat, scenario, fault, count);
                }
                // The books need not run dry: as much in as out.
                if (world.balance(seat) < 20'00)
                    REQUIRE(std::holds_alternative<Applied>(
                        world.terminal.top_up(*seat, world.next_id(), Amount::minor_units(50'00))));
                if (world.account(shop) < 40'00)
                    REQUIRE(std::holds_alternative<Applied>(world.terminal.transfer_out(
                        *seat, world.next_id(), Amount::minor_units(20'00), shop)));
            }
            CAPTURE(scenario.name, steps);
            CHECK(count.fired > static_cast<int>(4 * steps));
            CHECK(count.applied > 0);
            CHECK(count.refused > 0);
            CHECK(count.in_doubt > 0);
            CHECK(count.ahead > 0);
        }
    }
}

// A medium that turns the card's success into a refusal gains nothing: the card's log tells.
TEST_CASE("a forged refusal of EXECUTE leaves the operation in doubt until it is resolved",
          "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    (*seat).restart({Fault::change_status(0, 0x9402).of(0x32)});
    const auto id = world.next_id();
    const auto outcome = world.terminal.top_up(*seat, id, one);
    CHECK_FALSE(std::holds_alternative<NotApplied>(outcome));
    REQUIRE(world.terminal.resolve(*seat));
    CHECK(std::holds_alternative<Applied>(world.terminal.top_up(*seat, id, one)));
    CHECK(world.on_card(seat) == TerminalWorld::start + 1'00);
}

TEST_CASE("two terminals on one card, by turns, lose and double nothing", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    Terminal other(world.access.client(), {.card_root = world.root.public_key(),
                                           .name = test::account_id("till-2"),
                                           .observer = nullptr});
    const auto id = world.next_id();
    (*seat).restart({Fault::lose_command(0).of(0x32)});
    (void)world.terminal.top_up(*seat, id, one);
    (*seat).restart();
    CHECK(std::holds_alternative<Applied>(other.top_up(*seat, world.next_id(), one)));
    CHECK(std::holds_alternative<Applied>(world.terminal.top_up(*seat, id, one)));
    CHECK(world.on_card(seat) == TerminalWorld::start + 2'00);
    CHECK(world.balance(seat) == TerminalWorld::start + 2'00);
}
