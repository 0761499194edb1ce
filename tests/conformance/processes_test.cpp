// SPDX-License-Identifier: Apache-2.0
// Other programs at the same card.
#include <thread>

#include <tallycard/terminal.hpp>

#include "child.hpp"
#include "other_program.hpp"
#include "story.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<CardLink> own_link(const Stand& stand, Sharing sharing)
{
    const auto driver = open_pcsc().value();
    return driver->open(stand.name()).value()->connect(sharing).value();
}

constexpr std::uint8_t before_all = 0, in_select = 0xA4, in_execute = 0x32;

}  // namespace

TEST_CASE("a sharing violation names the program that holds the card", "[service][children]")
{
    Stand stand({.connect = 10s, .begin = 300ms, .transmit = 10s});
    const auto card = stand.insert();
    const auto reader = stand.reader();
    REQUIRE(reader->wait_for_card(10s));
    const Signal may_begin, has_it, may_end;
    const auto sharing = GENERATE(Sharing::exclusive, Sharing::shared);
    Child other([&] {
        may_begin.wait();
        const auto link = own_link(stand, sharing);
        const bool begun = link->begin().has_value();
        has_it.give();
        may_end.wait();
        return begun;
    });
    const auto process = static_cast<std::uint32_t>(other.process());
    if (sharing == Sharing::exclusive) {
        may_begin.give();
        has_it.wait();
        const auto refused = reader->connect(Sharing::shared);
        REQUIRE(!refused);
        CHECK(refused.error().code == Errc::card_shared);
        CHECK(refused.error().holder == process);
        CHECK_THAT(refused.error().message(),
                   Catch::Contains("held by conformance_tes (process " + std::to_string(process)));
    } else {
        const auto link = reader->connect(Sharing::shared).value();
        may_begin.give();
        has_it.wait();
        const auto begun = link->begin();
        REQUIRE(!begun);
        CHECK(begun.error().code == Errc::timed_out);
        CHECK(begun.error().holder == process);
    }
    const auto clients = pcsc_clients();
    REQUIRE(clients.size() == 1);
    CHECK(clients[0].process_id == process);
    may_end.give();
    CHECK(other.succeeded());
    CHECK(pcsc_clients().empty());
}

TEST_CASE("one of several programs is not accused", "[service][children]")
{
    Stand stand;
    const auto card = stand.insert();
    const auto reader = stand.reader();
    REQUIRE(reader->wait_for_card(10s));
    const Signal there, may_end;
    const auto stay = [&](Sharing sharing) {
        return [&, sharing] {
            const auto link = sharing == Sharing::exclusive ? own_link(stand, sharing) : nullptr;
            const auto driver = open_pcsc().value();
            const auto watching = driver->monitor({});
            there.give();
            may_end.wait();
            return watching.has_value();
        };
    };
    Child holder(stay(Sharing::exclusive)), bystander(stay(Sharing::shared));
    there.wait();
    there.wait();
    const auto refused = reader->connect(Sharing::shared);
    REQUIRE(!refused);
    CHECK(refused.error().holder == 0);
    CHECK(pcsc_clients().size() == 2);
    may_end.give();
    may_end.give();
    CHECK(holder.succeeded());
    CHECK(bystander.succeeded());
}

TEST_CASE("two processes pay from one card, and each payment is there once", "[service][children]")
{
    Story story;
    story.applied(story.terminal.top_up(*story.link, story.next_id(), cents(100'00)));
    story.link.reset();
    constexpr int payments = 7;  // each; the card takes 15 before it settles
    const auto pay = [&](std::uint32_t first_id) {
        return [&story, first_id] {
            const auto link = own_link(story.stand, Sharing::shared);
            for (std::uint32_t i = 0; i < payments; ++i) {
                const auto id = test::id_of<OperationId>(first_id + i);
                auto outcome = story.terminal.pay(*link, id, cents(1'00), story.shop);
                // What came between is not ours: it was not applied, or is asked again.
                for (int again = 0; again < 20 && !std::holds_alternative<Applied>(outcome);
                     ++again) {
                    if (!link->reconnect()) return false;
                    outcome = story.terminal.pay(*link, id, cents(1'00), story.shop);
                }
                if (!std::holds_alternative<Applied>(outcome)) return false;
            }
            return true;
        };
    };
    Child one(pay(1000)), two(pay(2000));
    CHECK(one.succeeded());
    CHECK(two.succeeded());
    story.link = story.reader->connect(Sharing::shared).value();
    CHECK(story.terminal.state(*story.link).value().balance ==
          Balance::minor_units(100'00 - 2 * payments * 1'00));
    const auto history = story.terminal.history(*story.link);
    REQUIRE(history);
    CHECK(history->size() == 1 + 2 * payments);
}

TEST_CASE("a reset by another program anywhere in an operation ends definite", "[service]")
{
    Story story;
    story.applied(story.terminal.top_up(*story.link, story.next_id(), cents(100'00)));
    const auto at = GENERATE(before_all, in_select, in_execute);
    int left = GENERATE(1, 2);  // the how manyth of these commands it is
    std::thread resets;
    story.stand.on_command = [&](std::uint8_t instruction) {
        if (instruction != at || --left != 0) return;
        resets = std::thread([&] { reset_by_another_program(story.stand.name()); });
    };
    if (at == before_all) reset_by_another_program(story.stand.name());
    const auto id = story.next_id();
    auto outcome = story.terminal.top_up(*story.link, id, cents(1'00));
    if (resets.joinable()) resets.join();
    for (int again = 0; again < 5 && !std::holds_alternative<Applied>(outcome); ++again)
        outcome = story.terminal.top_up(*story.link, id, cents(1'00));
    story.applied(outcome);
    CHECK(story.terminal.state(*story.link).value().balance == Balance::minor_units(101'00));
    CHECK(story.issuer->standing(story.card_id, std::nullopt).value().balance ==
          Balance::minor_units(101'00));
}
