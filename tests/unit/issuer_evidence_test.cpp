// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

TEST_CASE("what cannot be a result, or comes with what cannot be its operation, is refused",
          "[issuer]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    auto payment = card.pay(1, "shop");
    auto blank = payment;
    blank.receipt.result.state = CardState::blank;
    REQUIRE(issuer.settle(blank).error().code == Errc::malformed);
    auto without = payment;
    without.executed->operation.amount = Amount::minor_units(1);  // a payment gives
    REQUIRE(issuer.settle(without).error().code == Errc::unknown_operation);
    REQUIRE(issuer.settle(payment).value().settled);
}

TEST_CASE("I14: a payment of a blocked card is evidence", "[issuer][I14]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    issuer.run(card, Kind::block);
    REQUIRE(issuer.settle(card.pay(1, "shop")).error().code == Errc::evidence);
    REQUIRE(issuer->evidence().value().at(0).reason == EvidenceReason::wrong_state);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 0);
}

TEST_CASE("I14: evidence holds only the operation that the card signed for", "[issuer][I14]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    auto one = card, two = card, three = card, four = card;
    issuer.settle(card.pay(1, "shop")).value();
    const auto operations = [&](std::size_t at) { return issuer->evidence().value().at(at); };

    auto second = one.pay(2, "thief");
    REQUIRE(issuer->settle(submission(second.receipt)).error().code == Errc::evidence);
    REQUIRE(!operations(0).operation);
    second = two.pay(3, "thief");
    REQUIRE(issuer
                ->settle(submission(second.receipt,
                                    ExecutedOperation{card.make(Kind::payment, -9, "shop"), {}}))
                .error()
                .code == Errc::evidence);
    REQUIRE(!operations(1).operation);
    second = three.pay(4, "thief");
    auto invalid = *second.executed;
    invalid.operation.amount = Amount::minor_units(4);
    REQUIRE(issuer->settle(submission(second.receipt, invalid)).error().code == Errc::evidence);
    REQUIRE(!operations(2).operation);
    second = four.pay(5, "thief");
    REQUIRE(issuer.settle(second).error().code == Errc::evidence);
    REQUIRE(operations(3).operation == second.executed->operation);
}

TEST_CASE("I14: of three results that wait for one sequence each but the first is evidence",
          "[issuer][I14]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    auto one = card, two = card;
    const auto missing = card.pay(1, "shop");
    const auto honest = card.pay(2, "shop");
    one.pay(3, "thief");
    two.pay(4, "thief");
    REQUIRE(!issuer.settle(honest).value().settled);
    REQUIRE(issuer.settle(one.pay(5, "thief")).error().code == Errc::evidence);
    REQUIRE(issuer.settle(two.pay(6, "thief")).error().code == Errc::evidence);
    REQUIRE(issuer.settle(missing).value().settled);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 3);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 3);
    REQUIRE(issuer->evidence().value().size() == 2);
}
