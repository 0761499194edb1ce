// SPDX-License-Identifier: Apache-2.0
// A card's whole life by the terminal, with the applet itself: the same on every transport.
#include "story.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

TEST_CASE("a card is issued, topped up, pays, cashes out, transfers, and settles", "[story]")
{
    Story story;
    auto& terminal = story.terminal;
    auto& card = *story.link;
    CHECK(bytes_of(card.atr().bytes()) == stand_atr);
    CHECK(card.protocol() == stand_protocol);

    story.applied(terminal.top_up(card, story.next_id(), cents(100'00)));
    const auto payment = terminal.pay(card, story.next_id(), cents(12'50), story.shop);
    const auto& paid = std::get<Applied>(payment);
    CHECK(terminal.settle(paid.operation, paid.receipt));
    const auto pin = pin_of("4711");
    story.applied(terminal.cash_out(card, story.next_id(), cents(60'00), &pin));
    story.applied(terminal.transfer_out(card, story.next_id(), cents(7'50), story.shop));
    auto owner = test::account_owner();
    story.applied(terminal.transfer_in(card, story.next_id(), cents(10'00), story.shop, &owner));

    CHECK(terminal.state(card).value().balance == Balance::minor_units(30'00));
    CHECK(story.issuer->standing(story.card_id, std::nullopt).value().balance ==
          Balance::minor_units(30'00));
    const auto history = terminal.history(card);
    REQUIRE(history);
    CHECK(history->size() == 5);
}

TEST_CASE("asking twice is asking once, also by another link", "[story]")
{
    Story story;
    const auto id = story.next_id();
    story.applied(story.terminal.top_up(*story.link, id, cents(20'00)));
    story.link.reset();
    const auto other = story.reader->connect(Sharing::exclusive).value();
    story.applied(story.terminal.top_up(*other, id, cents(20'00)));
    CHECK(story.terminal.state(*other).value().balance == Balance::minor_units(20'00));
}

TEST_CASE("what the card refuses is refused by its name", "[story]")
{
    Story story;
    auto& terminal = story.terminal;
    const auto code = [](const Outcome& outcome) {
        return std::get<NotApplied>(outcome).reason.code;
    };
    CHECK(code(terminal.pay(*story.link, story.next_id(), cents(1), story.shop)) ==
          Errc::balance_too_low);
    story.applied(terminal.top_up(*story.link, story.next_id(), cents(100'00)));
    CHECK(code(terminal.pay(*story.link, story.next_id(), cents(50'01), story.shop)) ==
          Errc::pin_needed);
    const auto wrong = pin_of("4712");
    CHECK(code(terminal.pay(*story.link, story.next_id(), cents(1), story.shop, &wrong)) ==
          Errc::wrong_pin);
    CHECK(code(terminal.top_up(*story.link, story.next_id(), cents(200'01))) == Errc::amount_limit);
}

TEST_CASE("links of one reader keep each other out of a transaction", "[story]")
{
    Stand stand({.connect = 10s, .begin = 50ms, .transmit = 300ms});
    const auto reader = stand.reader_with_applet();
    const auto first = reader->connect(Sharing::shared).value();
    const auto second = reader->connect(Sharing::shared).value();
    const Bytes select = from_hex("00a4040000");
    std::array<std::uint8_t, 258> answer;
    REQUIRE(first->begin());
    CHECK(!second->begin());
    CHECK(!second->transmit(select, answer));
    REQUIRE(first->end());
    wait_until("the other may begin", [&] { return second->begin() || !second->reconnect(); });
    CHECK(second->transmit(select, answer));
    CHECK(second->end());
    const auto refused = reader->connect(Sharing::exclusive);
    CHECK(refused.error().code == Errc::card_shared);
    CHECK(refused.error().holder == static_cast<std::uint32_t>(getpid()));
}

TEST_CASE("a wait ends by its deadline or by cancel", "[story]")
{
    Stand stand;
    const auto reader = stand.reader_with_applet();
    CHECK(reader->wait_for_card(0ms));
    CHECK(reader->wait_for_removal(20ms).error().code == Errc::timed_out);
    std::thread other([&] { reader->cancel(); });
    CHECK(reader->wait_for_removal(10s).error().code == Errc::cancelled);
    other.join();
}

TEST_CASE("a monitor begins with the card that is there", "[story]")
{
    Stand stand;
    const auto reader = stand.reader_with_applet();
    const auto monitor = stand.driver().monitor({}).value();
    auto event = monitor->wait(20s);
    REQUIRE(event);
    CHECK(event->kind == ReaderEvent::Kind::service_up);
    bool has_reader = false;
    while (event && event->kind != ReaderEvent::Kind::card_in) {
        if (event->reader == reader->name()) has_reader = true;
        event = monitor->wait(20s);
    }
    REQUIRE(event);
    CHECK(has_reader);
    CHECK(event->reader == reader->name());
    CHECK(bytes_of(event->atr.bytes()) == stand_atr);
}
