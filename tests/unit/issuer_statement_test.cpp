// SPDX-License-Identifier: Apache-2.0
// Statements: what is found by account, terminal, time, kind and amount, page by page.
#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;
using std::chrono::days, std::chrono::hours;

namespace {

// Two shops and two cards over three days.
class Trade {
public:
    Trade()
    {
        issuer.open_account(account_id("SHOP")).value();
        issuer.run(card, Kind::top_up, 5000);
        issuer.run(other, Kind::top_up, 4000);
        for (int day = 0; day < 3; ++day) {
            for (int i = 0; i < 4; ++i) {
                auto paid = card.pay(100 + i, "SHOP");
                paid.reference = Reference::parse("order " + std::to_string(10 * day + i));
                issuer.settle(paid).value();
                issuer.clock += hours(1);
            }
            issuer.settle(other.pay(7, "KIOSK")).value();
            issuer.execute(OrderKind::pay_out, "SHOP", -50, "bank").value();
            issuer.clock += days(1) - hours(4);
        }
    }

    // All pages of it, with so many rows on each.
    std::vector<LedgerRow> all(StatementQuery query, std::size_t limit = 3)
    {
        std::vector<LedgerRow> rows;
        query.limit = limit;
        for (;;) {
            const auto page = issuer->statement(query).value();
            REQUIRE(page.rows.size() <= limit);
            rows.insert(rows.end(), page.rows.begin(), page.rows.end());
            if (!page.next) return rows;
            REQUIRE(*page.next > query.from);
            query.from = *page.next;
        }
    }

    TestIssuer issuer;
    Time begin = issuer.clock;
    SimulatedCard card = issuer.make_card(), other = issuer.make_card();
};

StatementQuery of(const AccountName& account)
{
    StatementQuery query;
    query.account = account;
    return query;
}

}  // namespace

TEST_CASE("a statement has each entry of its account, with the balance behind it", "[issuer]")
{
    Trade trade;
    const auto rows = trade.all(of(associated_account(account_id("SHOP"))));
    REQUIRE(rows.size() == 1 + 3 * 5);
    std::int64_t balance = 0;
    for (const auto& row : rows) {
        if (!row.posting) continue;  // the one that opened it
        const bool took = row.posting->credit.id == account_id("SHOP");
        balance += (took ? 1 : -1) * row.posting->amount.to_minor_units();
        CHECK((took ? row.posting->credit_after : row.posting->debit_after) == balance);
    }
    CHECK(balance == trade.issuer.balance(AccountKind::associated, "SHOP"));
    CHECK(rows[1].reference->text() == "order 0");
    CHECK_FALSE(rows[5].reference);
}

TEST_CASE("a card's statement has the card's balance, the till's what it delivered", "[issuer]")
{
    Trade trade;
    const auto rows = trade.all(of(card_account(trade.card.id())));
    REQUIRE(rows.size() == 13);
    CHECK(rows.back().posting->debit_after ==
          static_cast<std::int64_t>(trade.card.balance().to_minor_units()));
    StatementQuery by_till;
    by_till.terminal = account_id("T1");
    CHECK(trade.all(by_till, 5).size() == 17);
    by_till.terminal = account_id("T2");
    CHECK(trade.all(by_till).empty());
    auto both = of(associated_account(account_id("SHOP")));
    both.terminal = account_id("T1");
    CHECK(trade.all(both).size() == 12);
}

TEST_CASE("a statement keeps to its times, kinds and amounts", "[issuer]")
{
    Trade trade;
    StatementQuery second_day;
    second_day.since = trade.begin + days(1);
    second_day.until = trade.begin + days(2);
    CHECK(trade.all(second_day).size() == 6);
    second_day.kind = "payment";
    CHECK(trade.all(second_day, 1).size() == 5);
    second_day.least = Amount::minor_units(101);
    second_day.most = Amount::minor_units(102);
    CHECK(trade.all(second_day, 1).size() == 2);
    second_day.kind = "pay out";
    CHECK(trade.all(second_day).empty());
    StatementQuery never;
    never.since = trade.begin + days(100);
    CHECK(trade.all(never).empty());
    never.since = trade.begin + days(2);
    never.until = trade.begin + days(1);
    CHECK(trade.all(never).empty());
}

TEST_CASE("the balance at a time is what the entries before it left", "[issuer]")
{
    Trade trade;
    const auto shop = associated_account(account_id("SHOP"));
    const std::int64_t a_day = 406 - 50;
    for (int day = 0; day <= 3; ++day)
        CHECK(trade.issuer->balance_at(shop, trade.begin + days(day)).value() == day * a_day);
    CHECK(trade.issuer->balance_at(cash_account(account_id("T1")), trade.begin + days(1)).value() ==
          -9000);
    CHECK(trade.issuer->balance_at(associated_account(account_id("NONE")), trade.begin).value() ==
          0);
}

TEST_CASE("what a recovery takes shows in the card's statement", "[issuer]")
{
    Trade trade;
    trade.issuer->declare_lost(trade.other.id()).value();
    trade.issuer.clock += days(31);
    trade.issuer.execute(OrderKind::recover, "SHOP", 1000, trade.other.id().to_string().c_str())
        .value();
    const auto rows = trade.all(of(card_account(trade.other.id())));
    REQUIRE(rows.back().entry.account_record() != nullptr);
    CHECK(rows.back().posting->debit_after == 4000 - 21 - 1000);
}
