// SPDX-License-Identifier: Apache-2.0
// Lost cards, results that are kept, gaps and the deny list.
#include <set>

#include <catch2/catch.hpp>

#include "support/https_request.hpp"
#include "support/test_issuer.hpp"
#include "support/wait_until.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

const std::string merchant = "shop-token-0123456789";

// The second of two payments, the first of which never comes.
Submission skip_one(SimulatedCard& card)
{
    card.pay(100, "SHOP");
    return card.pay(30, "SHOP");
}

bool has_line(const WebAnswer& metrics, const std::string& line)
{
    return metrics.text.find(line + "\n") != std::string::npos;
}

DenyList list_of(const std::vector<DenyListLine>& lines)
{
    DenyList list;
    for (const auto& line : lines) REQUIRE(list.append(line));
    return list;
}

}  // namespace

TEST_CASE("an operator declares a card lost, and recovers what can be", "[service]")
{
    TestIssuer issuer;
    issuer.limits.offline_total = Balance::minor_units(250);
    ServiceHost host(*issuer);
    const auto office = host.client();
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    CHECK(office->declare_lost(id_of<CardId>(4711)).error().code == Errc::unknown_card);
    REQUIRE(office->declare_lost(card.id()));
    const auto found = office->recoverable(card.id()).value();
    CHECK(found.book == 1000);
    CHECK(found.kept == 0);
    CHECK(found.held_back == 250);
    CHECK(found.free == 750);
    CHECK(found.held_until == issuer.clock + std::chrono::days(30));

    const auto to = std::string(holder_account(issuer.make_card().id()).text());
    const auto recover = [&](std::int64_t amount) {
        return office->execute(
            issuer.order(OrderKind::recover, to.c_str(), amount, card.id().to_string().c_str()));
    };
    CHECK(recover(751).error().code == Errc::insufficient_funds);
    REQUIRE(recover(750));
    const auto row = office->cards().value().at(0);
    CHECK(row.denied);
    CHECK(row.recovered == 750);
    CHECK(row.lost_since == issuer.clock);
    CHECK(row.given_up_at == 1U);
    CHECK_FALSE(row.written_off);
    CHECK(office->recoverable(card.id()).value().book == 250);
    CHECK(office->undeny(card.id()).error().code == Errc::card_state);
    const auto other = WebClient(host, host.token).get("/v1/cards").body["cards"][1];
    CHECK_FALSE(other.contains("lost_since"));
    CHECK_FALSE(other.contains("given_up_at"));
}

TEST_CASE("the rows of cards and accounts come as the platform has them", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    issuer.open_account(account_id("SHOP")).value();
    issuer.execute(OrderKind::pay_in, "SHOP", 500, "bank").value();
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer.settle(card.pay(70, "SHOP")).value();
    issuer.execute(OrderKind::hand_in, "T1", 300, "bank").value();
    const auto request = issuer.transfer_request(card.request(Kind::transfer_in, 40, "SHOP"));
    issuer->authorise_transfer(request).value();
    issuer->deny(card.id()).value();
    issuer.execute(OrderKind::write_off, "SHOP", 0, card.id().to_string().c_str()).value();

    const auto ours = issuer->accounts().value(), theirs = host.client()->accounts().value();
    REQUIRE(theirs.size() == ours.size());
    std::set<AccountKind> kinds;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        CHECK(theirs[i].name == ours[i].name);
        CHECK(theirs[i].balance == ours[i].balance);
        CHECK(theirs[i].reserved == ours[i].reserved);
        CHECK(theirs[i].number == ours[i].number);
        CHECK(theirs[i].key == ours[i].key);
        kinds.insert(ours[i].name.kind);
    }
    CHECK(kinds.size() == 3);
    const auto row = host.client()->cards().value().at(0);
    CHECK(row.offline_spent.to_minor_units() == 70);
    CHECK(row.written_off == 3U);

    // Page by page they are the same.
    WebClient web(host, host.token);
    std::vector<std::string> names;
    for (std::string after;;) {
        const auto page = web.get("/v1/accounts?limit=1" + after).body;
        for (const auto& item : page["accounts"]) names.push_back(item["account"]);
        if (!page.contains("next")) break;
        after = "&after=" + page["next"].get<std::string>();
    }
    CHECK(names.size() == ours.size());
    CHECK(web.get("/v1/accounts?after=card/x").status == 400);
}

TEST_CASE("results that are kept are listed until their gap is made", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    const auto office = host.client();
    WebClient web(host, host.token);
    std::vector<SimulatedCard> cards;
    std::vector<Submission> kept;
    for (int i = 0; i < 60; ++i) {
        cards.push_back(issuer.make_card());
        issuer.run(cards.back(), Kind::top_up, 1000);
        kept.push_back(skip_one(cards.back()));
        CHECK_FALSE(office->settle(kept.back()).value().settled);
    }
    const auto rows = office->kept().value();
    REQUIRE(rows.size() == 60);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        CHECK(rows[i].receipt == kept[i].receipt);
        CHECK(rows[i].executed == kept[i].executed);
        CHECK(rows[i].terminal == account_id("T1"));
        CHECK(rows[i].since == issuer.clock);
    }
    CHECK(web.get("/v1/kept?limit=2").body["cards"].size() == 2);
    CHECK(web.get("/v1/kept?limit=101").status == 400);
    CHECK(has_line(web.get("/metrics"), "tallycard_kept_results 60"));
    CHECK(office->close_gaps().value() == 0);

    issuer.clock += std::chrono::days(30);
    CHECK(office->close_gaps().value() == 60);
    CHECK(office->kept().value().empty());
    CHECK(has_line(web.get("/metrics"), "tallycard_kept_results 0"));
    CHECK(has_line(web.get("/metrics"), "tallycard_gaps_made_total 60"));
    const auto gaps = office->gaps(cards[7].id()).value();
    REQUIRE(gaps.size() == 1);
    const auto ours = issuer->gaps(cards[7].id()).value().at(0);
    CHECK(gaps[0].first == 2);
    CHECK(gaps[0].last == 2);
    CHECK(gaps[0].left == 100);
    CHECK(gaps[0].index == ours.index);
    CHECK(gaps[0].result_before == ours.result_before);
    CHECK(gaps[0].result_after == ours.result_after);
    CHECK(gaps[0].operation_key == ours.operation_key);
    CHECK(gaps[0].balance_before.to_minor_units() == 1000);
    CHECK(gaps[0].balance_after.to_minor_units() == 900);
    CHECK(issuer.balance(AccountKind::associated, "unaccounted") == 6000);
}

TEST_CASE("the service makes gaps by itself when their time has come, and stops at once",
          "[service]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer.settle(skip_one(card)).value();
    issuer.clock += std::chrono::days(30);
    {
        // Not before the first hour has passed, for which nobody waits.
        const ServiceHost host(*issuer);
    }
    CHECK(issuer->gaps(card.id()).value().empty());
    service::ServiceSettings settings;
    settings.gaps_every = std::chrono::milliseconds(10);
    const ServiceHost host(*issuer, nullptr, settings);
    testing::wait_until("the gap is made", [&] { return issuer->gaps(card.id())->size() == 1; });
    testing::wait_until("it is counted", [&] {
        return has_line(WebClient(host, host.token).get("/metrics"), "tallycard_gaps_made_total 1");
    });
    CHECK(issuer->ledger_head().value().size == 3);
}

TEST_CASE("every client gets the deny list, which proves itself", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer, &issuer.checkpoint_key(), {},
                     client_section("shop", "merchant", merchant));
    const auto& description = issuer.description();
    const auto open = [&](const std::string& note) {
        return DenyListHead::open(note, description.origin, description.checkpoint_key).value();
    };
    const auto shop = host.client(merchant);
    auto update = shop->deny_list(0).value();
    CHECK(update.lines.empty());
    CHECK(list_of(update.lines).matches(open(update.note)));

    const auto one = issuer.make_card().id(), other = issuer.make_card().id();
    issuer->deny(one).value();
    issuer->declare_lost(other).value();
    issuer->undeny(one).value();
    update = shop->deny_list(0).value();
    CHECK(update.lines == std::vector<DenyListLine>{{one, true}, {other, true}, {one, false}});
    const auto list = list_of(update.lines);
    CHECK(list.matches(open(update.note)));
    CHECK(open(update.note).time == issuer.clock);
    CHECK(list.is_denied(other));
    CHECK_FALSE(list.is_denied(one));

    const auto rest = shop->deny_list(2).value();
    CHECK(rest.lines == std::vector<DenyListLine>{{one, false}});
    CHECK(list.matches(open(rest.note)));
    CHECK(shop->deny_list(3).value().lines.empty());
    CHECK(WebClient(host).get("/v1/deny-list").status == 401);
    CHECK(WebClient(host, merchant).get("/v1/deny-list?from=x").status == 400);

    const ServiceHost without_key(*issuer);
    const auto none = without_key.client()->deny_list(0).error();
    CHECK(none.code == Errc::file_missing);
    CHECK(none.where == std::string("checkpoint key"));
}

TEST_CASE("a deny list that is longer than one answer comes whole", "[service]")
{
    TestIssuer issuer;
    constexpr std::size_t count = 25'001;
    const auto card = issuer.make_card().id();
    issuer.close();
    {
        const auto store = issuer.store().open().value();
        const auto transaction = store->write().value();
        for (std::size_t i = 0; i < count; ++i)
            transaction->append_denial({card, i % 2 == 0}).value();
        transaction->commit().value();
    }
    issuer.reopen();
    ServiceHost host(*issuer, &issuer.checkpoint_key());
    const auto update = host.client()->deny_list(0).value();
    REQUIRE(update.lines.size() == count);
    const auto& description = issuer.description();
    const auto head =
        DenyListHead::open(update.note, description.origin, description.checkpoint_key).value();
    CHECK(list_of(update.lines).matches(head));
    CHECK(host.client()->deny_list(count - 1).value().lines.size() == 1);
    const auto part = WebClient(host, host.token).get("/v1/deny-list?from=5").body;
    CHECK(part["lines"].size() == 10'000);
    CHECK(part["next"] == 10'005);
}
