// SPDX-License-Identifier: Apache-2.0
// The time of entries (docs/accounts.md, section 2).
#include <catch2/catch.hpp>

#include <random>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

using namespace std::chrono_literals;

namespace {

Time time_of(TestIssuer& issuer, std::uint64_t index)
{
    return issuer->entry(index).value()->time;
}

void require_right(TestIssuer& issuer)
{
    const auto report = issuer.audit();
    if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
    REQUIRE(!report.fault);
}

}  // namespace

TEST_CASE("I20: an entry has the platform's time when it settled", "[time]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    CHECK(time_of(issuer, 0) == issuer.clock);
    issuer.clock += 1ms;
    issuer.open_account(account_id("shop")).value();
    CHECK(time_of(issuer, 1) == issuer.clock);
    CHECK(time_of(issuer, 1) - time_of(issuer, 0) == 1ms);
    require_right(issuer);
}

TEST_CASE("I20: where the clock goes back, time stands until it has come round", "[time]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    const auto latest = issuer.clock;
    issuer.clock -= 1h;
    CHECK(issuer.settle(card.pay(1, "shop")).value().settled);
    CHECK(time_of(issuer, 1) == latest);
    issuer.reopen();
    issuer.clock += 30min;
    CHECK(issuer.open_account(account_id("other"))->time == latest);
    issuer.clock += 31min;
    CHECK(issuer.settle(card.pay(1, "shop")).value().settled);
    CHECK(time_of(issuer, 3) == latest + 1min);
    require_right(issuer);
}

TEST_CASE("where the clock is years ahead, nothing is written, and later it is", "[time]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    issuer.open_account(account_id("shop")).value();
    const auto right = issuer.clock;
    const auto top_up = issuer.authorise(card, Kind::top_up, 5).value().first;
    const auto receipt = card.execute(top_up);
    const auto order = issuer.order(OrderKind::pay_in, "shop", 10, "bank");
    const auto head = issuer->ledger_head().value();

    for (const auto wrong : {right + std::chrono::days(401), last_time + 1ms}) {
        issuer.clock = wrong;
        CHECK(issuer->settle(submission(receipt)).error().code == Errc::clock_wrong);
        CHECK(issuer->execute(order).error().code == Errc::clock_wrong);
        CHECK(issuer->settle_all(std::vector{submission(receipt)}).error().code ==
              Errc::clock_wrong);
        CHECK(issuer->ledger_head().value() == head);
        CHECK(issuer->standing(card.id(), std::nullopt)->pending == top_up);
        CHECK(issuer.balance(AccountKind::cash, "T1") == -500);
        CHECK(issuer->account_standing(account_id("shop"))->number == 1);
    }
    issuer.clock = right + std::chrono::days(400);
    CHECK(issuer->settle(submission(receipt)).value().settled);
    CHECK(issuer->execute(order));
    CHECK(issuer.sum_of_books() == 0);
    require_right(issuer);
}

TEST_CASE("a gap is not made while the clock is wrong, and then it is", "[time]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    (void)card.pay(1, "shop");
    CHECK(!issuer.settle(card.pay(2, "shop")).value().settled);
    issuer.clock += std::chrono::days(401);
    CHECK(issuer->close_gaps().error().code == Errc::clock_wrong);
    CHECK(issuer->deny(card.id()).error().code == Errc::clock_wrong);
    CHECK(issuer->ledger_head().value().size == 1);
    CHECK(!issuer->standing(card.id(), std::nullopt)->denied);
    issuer.clock -= std::chrono::days(1);
    CHECK(issuer->close_gaps().value() == 1);
    CHECK(issuer->ledger_head().value().size == 3);
    require_right(issuer);
}

TEST_CASE("the first entry takes any time that an entry can have", "[time]")
{
    const auto time = GENERATE(Time{} - 1h, Time{}, last_time);
    TestIssuer issuer;
    issuer.clock = time;
    issuer.open_account(account_id("shop")).value();
    CHECK(time_of(issuer, 0) == std::max(time, Time{}));
    require_right(issuer);
}

TEST_CASE("I20: whatever the clock does, times never go back", "[time]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.open_account(account_id("shop")).value();
    std::minstd_rand random(20);
    std::uniform_int_distribution<std::int64_t> step(-90'000, 100'000);
    int back = 0;
    for (int round = 0; round < 40; ++round) {
        const auto by = std::chrono::milliseconds(step(random));
        back += by < 0ms ? 1 : 0;
        issuer.clock += by;
        if (round % 2 == 0) {
            issuer.run(card, Kind::top_up, 5);
        } else {
            issuer.execute(OrderKind::pay_in, "shop", 1, "bank").value();
        }
    }
    const auto entries = issuer->entries(0, 100).value();
    REQUIRE(entries.size() == 41);
    for (std::size_t i = 1; i < entries.size(); ++i) CHECK(entries[i - 1].time <= entries[i].time);
    CHECK(back > 10);
    require_right(issuer);
}
