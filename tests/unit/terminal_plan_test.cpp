// SPDX-License-Identifier: Apache-2.0
// Whole operations at a reader that fails by a plan's text: definite in the end, whatever it is.
#include <catch2/catch.hpp>

#include <tallycard/fault_reader.hpp>

#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = *AccountId::parse(std::string_view("SHOP-1"));

// Every kind of fault; one that would make up a card's refusal cannot be told from a card.
const char* const faults[] = {
    "lose-command",   "lose-answer",     "drop 5",          "drop 300",         "mute-before",
    "mute-after",     "delay 5",         "status 6F00",     "only-status 9000", "truncate 1",
    "truncate 40",    "flip-bit 77",     "repeat",          "reset-before",     "reset-after",
    "remove-after 1", "remove-before 1", "unplug-before 1", "unplug-after 1"};

// Presents the card again until an operation at it succeeds.
template <class Ask>
void until_done(Reader& reader, Ask ask)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
        if (const auto link = reader.connect(Sharing::shared)) {
            if (ask(**link)) return;
        }
        if (std::chrono::steady_clock::now() > end) FAIL("the card never came back");
    }
}

// One operation whose first EXECUTE or PAY meets the fault, resolved and asked for again. Whether
// it was in doubt.
bool run(TerminalWorld& world, const std::string& image, const CardId& card_id, bool is_payment,
         const std::string& fault)
{
    const auto plan = FaultPlan::parse("tallycard-faults 1\ndeadline 2\nins " +
                                       std::string(is_payment ? "34" : "32") + " at 1 " + fault);
    std::vector<LoopbackCard> cards(1);
    cards[0] = {.image = image, .transport_key = {}, .durable = false};
    const auto driver = open_faulty(open_loopback(std::move(cards)).value(), *plan);
    const auto reader = driver->open(driver->list().value().at(0)).value();
    const auto balance = [&] {
        return static_cast<std::int64_t>(
            world.issuer->standing(card_id, std::nullopt).value().balance.to_minor_units());
    };
    const auto id = world.next_id();
    const auto before = balance();
    const auto one = Amount::minor_units(1'00);
    const auto ask = [&](Asked asked) {
        const auto link = reader->connect(Sharing::shared).value();
        return is_payment ? world.terminal.pay(*link, id, one, shop, nullptr, asked)
                          : world.terminal.top_up(*link, id, one);
    };

    const auto first = ask(Asked::first_time);
    until_done(*reader, [&](CardLink& card) { return world.terminal.resolve(card); });
    CHECK(std::holds_alternative<Applied>(ask(Asked::again)));
    until_done(*reader, [&](CardLink& card) { return world.terminal.resolve(card); });
    CHECK(balance() == before + (is_payment ? -1'00 : 1'00));  // once
    CHECK(world.sum_of_books() == 0);
    return std::holds_alternative<InDoubt>(first);
}

}  // namespace

TEST_CASE("a top-up and a payment under every planned fault end definite", "[terminal]")
{
    TerminalWorld world;
    std::string image;
    CardId card_id;
    {
        const auto seat = world.funded_seat();
        image = seat.driver->list().value().at(0).substr(std::string("loopback:").size());
        card_id = seat.card_id;
    }
    REQUIRE(world.issuer.open_account(shop));
    int runs = 0, in_doubt = 0;
    for (const auto* const fault : faults) {
        for (const bool is_payment : {false, true}) {
            CAPTURE(is_payment, fault);
            in_doubt += run(world, image, card_id, is_payment, fault);
            ++runs;
        }
    }
    CHECK(runs == 2 * static_cast<int>(std::size(faults)));
    CHECK(in_doubt > runs / 4);
}
