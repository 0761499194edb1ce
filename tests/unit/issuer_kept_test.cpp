// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

TEST_CASE("results ahead are kept, and settle in order when the gap closes")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto a = card.pay(100, "shop");
    const auto b = card.pay(200, "kiosk");
    const auto c = card.pay(300, "shop");

    const auto kept = issuer.settle(c).value();
    REQUIRE(!kept.settled);
    REQUIRE(kept.sequence == 4);
    REQUIRE(!issuer.settle(b).value().settled);
    REQUIRE(!issuer.settle(b).value().settled);
    REQUIRE(issuer->ledger_head().value().size == 1);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 0);
    issuer.reopen();

    REQUIRE(issuer.settle(a).value().ledger_index == 1);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 4);
    REQUIRE(issuer.settle(b).value().ledger_index == 2);
    REQUIRE(issuer.settle(c).value().ledger_index == 3);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 400);
    REQUIRE(issuer.balance(AccountKind::associated, "kiosk") == 200);
    REQUIRE(issuer.sum_of_books() == 0);
    REQUIRE(issuer->evidence().value().empty());
}

TEST_CASE("I14: of two kept results for one sequence the one that fits settles")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    auto clone = card;
    const auto missing = card.pay(100, "shop");
    const auto honest = card.pay(200, "shop");
    clone.pay(1, "thief");
    const auto forged = clone.pay(2, "thief");
    const bool forged_first = GENERATE(true, false);

    REQUIRE(issuer.settle(forged_first ? forged : honest));
    REQUIRE(issuer.settle(forged_first ? honest : forged).error().code == Errc::evidence);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().denied);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 1);
    REQUIRE(issuer.settle(missing).value().settled);

    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 3);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 300);
    REQUIRE(issuer.balance(AccountKind::associated, "thief") == 0);
    REQUIRE(issuer.settle(honest).value().settled);
    REQUIRE(issuer.settle(forged).error().code == Errc::evidence);
    REQUIRE(issuer.sum_of_books() == 0);
}

TEST_CASE("a kept result that does not fit when its turn comes is evidence")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    auto clone = card;
    clone.pay(1, "thief");
    const auto forged = clone.pay(2, "thief");
    REQUIRE(!issuer.settle(forged).value().settled);

    REQUIRE(issuer.settle(card.pay(100, "shop")).value().settled);

    REQUIRE(issuer->standing(card.id(), std::nullopt).value().denied);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 2);
    REQUIRE(issuer->evidence().value().at(0).reason == EvidenceReason::broken_chain);
    REQUIRE(issuer.settle(card.pay(100, "shop")).value().settled);
}

TEST_CASE("I11: a record exists exactly when its result has been settled, exactly once")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::top_up, 500).value().first;
    REQUIRE(issuer->ledger_head().value().size == 0);
    const auto receipt = card.execute(first);
    for (int i = 0; i < 3; ++i)
        REQUIRE(issuer
                    ->settle(submission(receipt,
                                        ExecutedOperation{first.operation, first.issuer_signature}))
                    .value()
                    .settled);

    REQUIRE(issuer->ledger_head().value().size == 1);
    const auto record = issuer->entry(0).value().value().delivered()->record;
    REQUIRE(record.operation == first.operation);
    REQUIRE(record.issuer_signature == first.issuer_signature);
    REQUIRE(record.receipt == receipt);
    REQUIRE(!issuer->entry(1).value().has_value());
}

TEST_CASE("receipts settle in a batch, and each has an answer of its own")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.run(other, Kind::top_up, 5000);
    auto clone = other;
    auto unknown = card.pay(10, "shop");
    const auto payment = unknown.executed;
    unknown.executed.reset();
    std::vector<Submission> batch = {unknown, other.pay(20, "shop"), clone.pay(21, "shop"),
                                     submission(unknown.receipt, payment), card.pay(30, "shop")};

    const auto answers = issuer->settle_all(batch).value();

    REQUIRE(answers.size() == 5);
    REQUIRE(answers[0].error().code == Errc::unknown_operation);
    REQUIRE(answers[1]->settled);
    REQUIRE(answers[2].error().code == Errc::evidence);
    REQUIRE(answers[3]->settled);
    REQUIRE(answers[4]->settled);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 60);
    REQUIRE(issuer.sum_of_books() == 0);
    issuer.reopen();
    REQUIRE(issuer->ledger_head().value().size == 5);
    REQUIRE(issuer->standing(other.id(), std::nullopt).value().denied);
}

TEST_CASE("a rule of the store that breaks ends the whole batch, with nothing done")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.run(other, Kind::top_up, 5000);
    const std::vector<Submission> batch = {card.pay(10, "shop"), other.pay(20, "kiosk"),
                                           card.pay(30, "shop")};
    const auto before = issuer->ledger_head().value();
    const auto id = to_hex(other.id().bytes());
    const bool is_sqlite = issuer.store().conninfo().empty();
    // The last thing that settling a result writes.
    issuer.store().run(is_sqlite
                           ? "CREATE TRIGGER broken BEFORE UPDATE ON cards WHEN new.card_id = x'" +
                                 id + "' BEGIN SELECT RAISE(ABORT, 'a constraint'); END"
                           : "ALTER TABLE cards ADD CONSTRAINT broken CHECK(settled < 2 OR "
                             "card_id <> '\\x" +
                                 id + "') NOT VALID");

    REQUIRE(issuer->settle_all(batch).error().code == Errc::conflict);

    REQUIRE(issuer->ledger_head().value() == before);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 1);
    REQUIRE(issuer->accounts().value().size() == 3);  // cash and the two holders'
    REQUIRE(issuer.sum_of_books() == 0);
    issuer.store().run(is_sqlite ? "DROP TRIGGER broken"
                                 : "ALTER TABLE cards DROP CONSTRAINT broken");
    for (const auto& answer : issuer->settle_all(batch).value()) REQUIRE(answer->settled);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 40);
    REQUIRE(issuer.sum_of_books() == 0);
}

TEST_CASE("a result further ahead than a card's log reaches is refused, and kept no more")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto missing = card.pay(1, "shop");
    std::vector<Submission> ahead;
    for (int i = 0; i < 17; ++i) ahead.push_back(card.pay(1, "shop"));
    REQUIRE(!issuer.settle(ahead[14]).value().settled);  // 16 ahead: 15 payments after an operation
    REQUIRE(issuer.settle(ahead[15]).error().code == Errc::unsettled);
    REQUIRE(issuer.settle(ahead[16]).error().code == Errc::unsettled);
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().denied);
    issuer.close();
    {
        const auto store = issuer.store().open().value();
        REQUIRE(store->read().value()->kept_count().value() == 1);
    }
    issuer.reopen();

    REQUIRE(issuer.settle(missing).value().settled);
    for (const auto& submission : ahead) REQUIRE(issuer.settle(submission).value().settled);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 19);
    REQUIRE(issuer.sum_of_books() == 0);
}
