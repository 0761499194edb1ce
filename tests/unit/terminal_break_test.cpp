// SPDX-License-Identifier: Apache-2.0
// The platform, or the card, fails at each step of what a terminal does: once, and from there on.
#include <catch2/catch.hpp>

#include "support/terminal_world.hpp"
#include "support/wrapped_client.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));
const auto one = Amount::minor_units(1'00);

// A card, a terminal, and a way to the platform that a test can break.
class BrokenWorld {
public:
    BrokenWorld() : seat(world.funded_seat())
    {
        world.issuer.open_account(shop).value();
        const auto given =
            terminal.transfer_out(*seat, world.next_id(), Amount::minor_units(20'00), shop);
        REQUIRE(std::holds_alternative<Applied>(given));
    }

    // All well again; whatever was under way has to be definite, and asked for again once.
    void come_to_an_end(const std::function<Outcome(Asked)>& ask, const std::optional<Outcome>& was)
    {
        client.before = client.after = nullptr;
        (*seat).restart();
        (*seat).insert();
        REQUIRE(terminal.resolve(*seat));
        if (was && !std::holds_alternative<NotApplied>(*was)) {
            const auto again = ask(Asked::again);
            CHECK_FALSE(std::holds_alternative<InDoubt>(again));
            if (std::holds_alternative<Applied>(*was))
                CHECK(std::holds_alternative<Applied>(again));
            REQUIRE(terminal.resolve(*seat));
        }
        CHECK_FALSE(world.issuer->standing(seat.card_id, std::nullopt).value().pending);
        CHECK(world.balance(seat) == world.on_card(seat));  // I2
        CHECK(world.sum_of_books() == 0);                   // I3
    }
    // The card and the shop have something, and room for more; offline payments count from 0.
    void keep_going()
    {
        const auto id = world.next_id();
        const auto much = Amount::minor_units(50'00);
        const auto moved = world.on_card(seat) < 500'00 ? world.terminal.top_up(*seat, id, much)
                                                        : world.terminal.cash_out(*seat, id, much);
        REQUIRE(std::holds_alternative<Applied>(moved));
        if (world.account(shop) >= 10'00) return;
        const auto given = world.terminal.transfer_out(*seat, world.next_id(), much, shop);
        REQUIRE(std::holds_alternative<Applied>(given));
    }
    void leave_pending()
    {
        world.issuer
            ->authorise({.id = world.next_id(),
                         .card_id = seat.card_id,
                         .kind = Kind::top_up,
                         .amount = one,
                         .parameter = {},
                         .terminal = test::account_id("till-2")})
            .value();
    }

    TerminalWorld world;
    TerminalWorld::Seat seat;
    WrappedClient client{*world.issuer};
    Terminal terminal{client,
                      {.card_root = world.root.public_key(),
                       .name = test::account_id("till-1"),
                       .observer = nullptr}};
};

struct Scenario {
    const char* name;
    std::function<Outcome(BrokenWorld&, const OperationId&, Asked)> ask;
};

const Scenario scenarios[] = {
    {"top-up", [](BrokenWorld& w, const OperationId& id,
                  Asked) { return w.terminal.top_up(*w.seat, id, one); }},
    {"cash-out with PIN",
     [](BrokenWorld& w, const OperationId& id, Asked) {
         const auto pin = TerminalWorld::pin();
         return w.terminal.cash_out(*w.seat, id, one, &pin);
     }},
    {"transfer out with PIN",
     [](BrokenWorld& w, const OperationId& id, Asked) {
         const auto pin = TerminalWorld::pin();
         return w.terminal.transfer_out(*w.seat, id, one, shop, &pin);
     }},
    {"transfer in",
     [](BrokenWorld& w, const OperationId& id, Asked) {
         auto owner = test::account_owner();
         return w.terminal.transfer_in(*w.seat, id, one, shop, &owner);
     }},
    {"payment", [](BrokenWorld& w, const OperationId& id,
                   Asked asked) { return w.terminal.pay(*w.seat, id, one, shop, nullptr, asked); }},
    {"payment asked for again",
     [](BrokenWorld& w, const OperationId& id, Asked) {
         return w.terminal.pay(*w.seat, id, one, shop, nullptr, Asked::again);
     }},
};

// What the card and the platform have between them when the operation begins.
enum class Before { nothing, unsettled, pending, voiding };
constexpr Before befores[] = {Before::nothing, Before::unsettled, Before::pending, Before::voiding};

void arrange(BrokenWorld& world, Before before)
{
    world.keep_going();
    const auto id = world.world.next_id();
    if (before == Before::unsettled)
        REQUIRE(std::holds_alternative<Applied>(
            world.terminal.pay(*world.seat, id, Amount::minor_units(1), shop)));
    if (before == Before::pending || before == Before::voiding) world.leave_pending();
    if (before == Before::voiding) world.world.issuer->void_pending(world.seat.card_id).value();
}

enum class Way { request_lost, reply_lost, refused };

// The call number `at` fails, or all from there on. Whether there was one.
struct BrokenWay {
    BrokenWay(WrappedClient& client, Way way, int at, bool lasting)
    {
        auto& hook = way == Way::reply_lost ? client.after : client.before;
        hook = [this, way, at, lasting](Call) -> std::optional<Error> {
            const auto number = calls++;
            if (number < at || (number > at && !lasting)) return std::nullopt;
            const auto effect = way == Way::refused ? Effect::none : Effect::unknown;
            return Error{.code = Errc::issuer_unreachable, .effect = effect, .where = "test"};
        };
    }
    BrokenWay(const BrokenWay&) = delete;
    BrokenWay& operator=(const BrokenWay&) = delete;
    int calls = 0;
};

}  // namespace

TEST_CASE("I2 I3 I9: whichever call of the platform fails, outcomes become definite",
          "[terminal][I2][I3][I9]")
{
    BrokenWorld world;
    int broken = 0, in_doubt = 0;
    for (const auto& scenario : scenarios)
        for (const auto before : befores)
            for (const auto way : {Way::request_lost, Way::reply_lost, Way::refused})
                for (const bool lasting : {way == Way::refused})
                    for (int at = 0;; ++at) {
                        CAPTURE(scenario.name, int(before), int(way), lasting, at);
                        arrange(world, before);
                        const auto id = world.world.next_id();
                        const BrokenWay broken_way(world.client, way, at, lasting);
                        const auto outcome = scenario.ask(world, id, Asked::first_time);
                        const bool reached = broken_way.calls > at;
                        broken += reached;
                        in_doubt += std::holds_alternative<InDoubt>(outcome);
                        world.come_to_an_end(
                            [&](Asked asked) { return scenario.ask(world, id, asked); }, outcome);
                        if (!reached) break;
                    }
    CHECK(broken > 200);
    CHECK(in_doubt > 50);
}

TEST_CASE("I2 I3 I9: wherever the card leaves, resolving and voiding can be done again",
          "[terminal][I2][I3][I9]")
{
    BrokenWorld world;
    const std::vector<std::function<void(BrokenWorld&)>> acts = {
        [](BrokenWorld& w) { (void)w.terminal.resolve(*w.seat); },
        [](BrokenWorld& w) { (void)w.terminal.void_pending(*w.seat); },
        [](BrokenWorld& w) { (void)scenarios[0].ask(w, w.world.next_id(), Asked::first_time); },
        [](BrokenWorld& w) { (void)scenarios[2].ask(w, w.world.next_id(), Asked::first_time); },
        [](BrokenWorld& w) { (void)scenarios[5].ask(w, w.world.next_id(), Asked::again); }};
    int fired = 0;
    for (const auto& act : acts)
        for (const auto before : befores)
            for (const auto* const kind : {"removed", "answer lost", "damaged"})
                for (std::size_t at = 0;; ++at) {
                    CAPTURE(int(before), kind, at);
                    arrange(world, before);
                    const auto fault = *kind == 'r'   ? Fault::remove_before(at)
                                       : *kind == 'a' ? Fault::lose_answer(at)
                                                      : Fault::flip_bit(at, 77);
                    (*world.seat).restart({fault});
                    act(world);
                    const bool reached = (*world.seat).faults_fired() > 0;
                    fired += reached;
                    world.come_to_an_end({}, {});
                    if (!reached) break;
                }
    CHECK(fired > 200);
}

TEST_CASE("a payment whose answer is lost is looked for, and what fails then leaves it in doubt",
          "[terminal]")
{
    BrokenWorld world;
    int in_doubt = 0;
    for (std::size_t at = 0; at < 6; ++at) {
        const auto id = world.world.next_id();
        const auto ask = [&](Asked asked) { return scenarios[4].ask(world, id, asked); };
        (*world.seat).restart({Fault::lose_answer(0).of(0x34), Fault::lose_answer(at).of(0x36)});
        const auto outcome = ask(Asked::first_time);
        in_doubt += std::holds_alternative<InDoubt>(outcome);
        world.come_to_an_end(ask, outcome);
    }
    CHECK(in_doubt > 0);
}
