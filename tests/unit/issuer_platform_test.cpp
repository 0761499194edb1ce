// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

TEST_CASE("a top-up is signed, executed and settled, and moves value from cash to the card")
{
    TestIssuer issuer;
    auto card = issuer.make_card();

    const auto status = issuer.authorise(card, Kind::top_up, 5000).value();
    REQUIRE(status.progress == Progress::pending);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().pending == status.first);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == 0);
    const auto settlement = issuer->settle(submission(card.execute(status.first))).value();

    REQUIRE(settlement.settled);
    REQUIRE(settlement.sequence == 1);
    REQUIRE(settlement.balance == Balance::minor_units(5000));
    REQUIRE(settlement.ledger_index == 0);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -5000);
    const auto standing = issuer->standing(card.id(), std::nullopt).value();
    REQUIRE(standing.settled == 1);
    REQUIRE(standing.balance == Balance::minor_units(5000));
    REQUIRE(!standing.pending);
    REQUIRE(issuer.sum_of_books() == 0);
}

TEST_CASE("an exported ledger verifies with public keys alone")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.settle(card.pay(1230, "shop")).value();
    issuer.run(card, Kind::cash_out, -1000);

    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto report = verify_ledger(path, issuer.description()).value();

    if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
    REQUIRE(!report.fault);
    REQUIRE(report.entries == 3);
    REQUIRE(report.on_cards == 2770);
    REQUIRE(report.in_accounts == 1230);
    REQUIRE(report.cash == -4000);
}
