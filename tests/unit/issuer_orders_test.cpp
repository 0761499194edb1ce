// SPDX-License-Identifier: Apache-2.0
// Calls of several kinds in one durable transaction.
#include <catch2/catch.hpp>

#include <sqlite3.h>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

const Result<OperationStatus>& status_in(const OrderAnswer& answer)
{
    return std::get<Result<OperationStatus>>(answer);
}

}  // namespace

TEST_CASE("orders of several kinds are done in their order, each with an answer of its own")
{
    TestIssuer issuer;
    auto paying = issuer.make_card(), topped = issuer.make_card(), moving = issuer.make_card();
    REQUIRE(issuer.open_account(account_id("SHOP")));
    for (auto* card : {&paying, &topped, &moving}) issuer.run(*card, Kind::top_up, 1000);
    const auto payment = paying.pay(100, "SHOP");
    const auto request = issuer.request(topped, Kind::top_up, 50);
    const auto second = moving.request(Kind::transfer_out, -30, "SHOP");
    const std::vector<Order> orders{
        payment, request, issuer.transfer_request(second), issuer.request(topped, Kind::top_up, 50),
        request, payment};
    const auto answers = issuer->do_all(orders).value();
    REQUIRE(answers.size() == orders.size());
    const auto settled = std::get<Result<Settlement>>(answers[0]);
    CHECK(settled->ledger_index == 4);
    const auto first = status_in(answers[1]);
    CHECK(first->progress == Progress::pending);
    CHECK(status_in(answers[2])->first.operation == second.operation);
    CHECK(status_in(answers[3]).error().code == Errc::operation_pending);
    CHECK(status_in(answers[4])->first == first->first);
    CHECK(std::get<Result<Settlement>>(answers[5])->ledger_index == 4);

    issuer.reopen();
    CHECK(issuer->authorise(request)->first == first->first);
    CHECK(issuer->settle(submission(topped.execute(first->first)))->ledger_index == 5);
    CHECK(issuer.sum_of_books() == 0);
}

TEST_CASE("an order that is refused leaves nothing behind, and does not hold up the others")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto other = issuer.make_card();
    const auto request = issuer.request(card, Kind::top_up, 50);
    auto reused = request;
    reused.amount = Amount::minor_units(51);
    auto too_much = issuer.request(other, Kind::top_up, 1, {}, "T2");
    too_much.amount = Amount::minor_units(INT64_MAX);
    const auto unknown = [&] {
        auto order = issuer.request(other, Kind::top_up, 1, {}, "T3");
        order.card_id = id_of<CardId>(4711);
        return order;
    }();
    const std::vector<Order> orders{request, too_much, reused, unknown};
    const auto answers = issuer->do_all(orders).value();
    CHECK(status_in(answers[0]));
    CHECK(status_in(answers[1]).error().code == Errc::bad_amount);
    CHECK(status_in(answers[2]).error().code == Errc::conflict);
    CHECK(status_in(answers[3]).error().code == Errc::unknown_card);
    CHECK(issuer->accounts()->size() == 1 + issuer->cards()->size());  // T1 and the holders'
    CHECK(issuer->status(too_much.id, std::nullopt).error().code == Errc::unknown_operation);
    CHECK(issuer->settle(submission(card.execute(status_in(answers[0])->first))));
    CHECK(issuer.sum_of_books() == 0);
}

TEST_CASE("orders whose store fails have not happened, and happen when they come again", "[sqlite]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto payment = card.pay(100, "SHOP");
    const auto other = issuer.make_card();
    const auto request = issuer.request(other, Kind::top_up, 50);
    const std::vector<Order> orders{payment, request};
    {
        sqlite3* rival = nullptr;
        REQUIRE(sqlite3_open(issuer.store_file().c_str(), &rival) == SQLITE_OK);
        REQUIRE(sqlite3_exec(rival,
                             "CREATE TRIGGER no BEFORE INSERT ON operations BEGIN SELECT "
                             "RAISE(ABORT, 'no'); END",
                             nullptr, nullptr, nullptr) == SQLITE_OK);
        CHECK_FALSE(issuer->do_all(orders));
        CHECK(issuer->ledger_head()->size == 1);
        REQUIRE(sqlite3_exec(rival, "DROP TRIGGER no", nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(rival);
    }
    CHECK(issuer->do_all(orders).value().size() == 2);
    CHECK(issuer->ledger_head()->size == 2);
    CHECK(issuer.sum_of_books() == 0);
}
