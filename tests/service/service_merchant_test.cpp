// SPDX-License-Identifier: Apache-2.0
// Merchants: what a client sees of accounts, and which orders it may hand over.
#include <catch2/catch.hpp>

#include "https/messages.hpp"
#include "support/https_request.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

const std::string shop = "shop-token-0123456789", till = "till-token-0123456789",
                  both = "both-token-0123456789";

std::string merchants()
{
    return client_section("shop", "merchant", shop, "accounts = SHOP SHOP-2\n") +
           client_section("till-9", "terminal", till, "accounts = till-9 SHOP\n") +
           client_section("kiosk", "terminal merchant", both);
}

// A platform with some accounts, and a service before it with merchants.
struct Market {
    Market()
    {
        for (const auto* name : {"SHOP", "OTHER", "kiosk"})
            issuer.open_account(account_id(name)).value();
    }
    Error refused(const std::string& token, const SignedOrder& order) const
    {
        return host.client(token)->execute(order).error();
    }

    TestIssuer issuer;
    ServiceHost host{*issuer, &issuer.checkpoint_key(), {}, merchants()};
};

}  // namespace

TEST_CASE("a merchant sees its own accounts and nobody else's; a terminal sees none", "[service]")
{
    Market market;
    market.issuer.execute(OrderKind::pay_in, "SHOP", 500, "bank").value();
    const auto merchant = market.host.client(shop);
    const auto own = merchant->account_standing(account_id("SHOP")).value();
    CHECK(own == market.issuer->account_standing(account_id("SHOP")).value());
    CHECK(own.balance == 500);
    CHECK(own.number == 2);
    CHECK(own.key == account_owner().public_key());
    CHECK(merchant->account_standing(account_id("SHOP-2")).error().code == Errc::unknown_account);

    WebClient at_shop(market.host, shop), at_till(market.host, till), at_kiosk(market.host, both);
    for (const auto* path : {"/v1/accounts/OTHER", "/v1/accounts/NOBODY", "/v1/accounts/shop"}) {
        const auto refused = at_shop.get(path);
        CHECK(refused.status == 403);
        CHECK(refused.code() == "not_permitted");
        CHECK(refused.where() == "account");
    }
    for (const auto* path : {"/v1/accounts", "/v1/cards", "/v1/kept", "/v1/ledger/entries"})
        CHECK(at_shop.get(path).where() == "role");
    CHECK(at_shop.get("/v1/issuer").status == 200);
    CHECK(at_till.get("/v1/accounts/SHOP").where() == "role");
    CHECK(at_kiosk.get("/v1/accounts/kiosk").status == 200);
    CHECK(at_kiosk.get("/v1/accounts/SHOP").where() == "account");
}

TEST_CASE("the name of an account may have every character that names have", "[service]")
{
    Market market;
    const auto client = market.host.client();
    for (const auto* name : {"a/b", "/", "?x=1", "%41", "#", "a+b;c\"\\", "x/"}) {
        const auto account = account_id(name);
        REQUIRE(market.issuer.open_account(account));
        CHECK(client->account_standing(account).value().account == account);
    }
    WebClient web(market.host, market.host.token);
    CHECK(web.get("/v1/accounts/").status == 404);
    CHECK(web.get("/v1/accounts/a%20b").message() == "account: not of the form that is wanted");
}

TEST_CASE("an owner's signed orders execute over the token of its merchant", "[service]")
{
    Market market;
    auto& issuer = market.issuer;
    const auto merchant = market.host.client(shop);
    REQUIRE(merchant->execute(issuer.order(OrderKind::open, "SHOP-2")));
    issuer.execute(OrderKind::pay_in, "SHOP", 500, "bank").value();
    const auto before = issuer->ledger_head().value().size;

    const auto order = issuer.order(OrderKind::pay_out, "SHOP", -200, "bank");
    const auto paid = merchant->execute(order).value();
    CHECK(paid.record.order == order.order);
    CHECK(paid.record.owner_signature == order.owner);
    CHECK(paid.ledger_index == before);
    CHECK(paid.time == issuer.clock);
    const Entry entry{paid.time, paid.record};
    CHECK(issuer->entry(before).value() == entry);

    issuer.clock += std::chrono::hours(1);
    const auto again = merchant->execute(order).value();
    CHECK(again.record == paid.record);
    CHECK(again.time == paid.time);
    CHECK(again.ledger_index == paid.ledger_index);
    CHECK(issuer->ledger_head().value().size == before + 1);

    REQUIRE(merchant->execute(issuer.order(OrderKind::move, "SHOP", -300, "SHOP-2")));
    REQUIRE(merchant->execute(issuer.order(OrderKind::replace_key, "SHOP")));
    REQUIRE(merchant->execute(issuer.order(OrderKind::close, "SHOP")));
    CHECK_FALSE(merchant->account_standing(account_id("SHOP")).value().key);
    CHECK(issuer.balance(AccountKind::associated, "SHOP-2") == 300);
    CHECK(issuer.sum_of_books() == 0);
}

TEST_CASE("a merchant hands over nothing for another's account, and nothing that is the issuer's",
          "[service]")
{
    Market market;
    auto& issuer = market.issuer;
    issuer.execute(OrderKind::pay_in, "OTHER", 500, "bank").value();
    const auto before = issuer->ledger_head().value().size;
    const auto of_other = market.refused(shop, issuer.order(OrderKind::pay_out, "OTHER", -1, "b"));
    CHECK(of_other.code == Errc::not_permitted);
    CHECK(of_other.where == std::string("account"));

    auto card = issuer.make_card();
    const auto card_id = card.id().to_string();
    const auto orders = {issuer.order(OrderKind::pay_in, "SHOP", 1, "bank"),
                         issuer.order(OrderKind::adjust, "SHOP", 1, "bank"),
                         issuer.order(OrderKind::recover, "SHOP", 1, card_id.c_str()),
                         issuer.order(OrderKind::hand_in, "SHOP", 1, "bank"),
                         issuer.order(OrderKind::reset_key, "SHOP"),
                         issuer.order(OrderKind::recover_holder, "SHOP", 1, card_id.c_str()),
                         issuer.order(OrderKind::write_off, "SHOP", 0, card_id.c_str())};
    for (const auto& order : orders) {
        REQUIRE(order.order.valid());
        const auto refused = market.refused(shop, order);
        CHECK(refused.code == Errc::not_permitted);
        CHECK(refused.where == std::string("role"));
    }
    const auto signed_one = issuer.order(OrderKind::pay_out, "SHOP", -1, "bank");
    CHECK(market.refused(till, signed_one).where == std::string("role"));
    CHECK(issuer->ledger_head().value().size == before);
    // An operator executes what is the issuer's, and passes on what owners have signed.
    CHECK(market.host.client()->execute(*orders.begin()));
    CHECK(market.host.client()->execute(issuer.order(OrderKind::pay_out, "OTHER", -1, "b")));
}

TEST_CASE("an order that the platform refuses comes back as the platform's own error", "[service]")
{
    Market market;
    auto& issuer = market.issuer;
    issuer.execute(OrderKind::pay_in, "SHOP", 500, "bank").value();
    const auto same = [&](const SignedOrder& order, Errc code) {
        const auto here = issuer->execute(order).error(), there = market.refused(shop, order);
        CHECK(there.code == code);
        CHECK(there.code == here.code);
        CHECK(there.detail == here.detail);
        CHECK(there.effect == here.effect);
        CHECK(there.where == std::string(here.where));
        return there;
    };
    auto order = issuer.order(OrderKind::pay_out, "SHOP", -100, "bank");
    auto unsigned_one = order;
    unsigned_one.owner = std::nullopt;
    same(unsigned_one, Errc::consent_needed);
    auto forged = order;
    forged.order.amount = Amount::minor_units(-101);
    same(forged, Errc::bad_signature);
    auto early = order;
    early.order.number += 5;
    CHECK(same(early, Errc::wrong_order_number).detail == order.order.number);
    same(issuer.order(OrderKind::pay_out, "SHOP", -501, "bank"), Errc::insufficient_funds);
    same(issuer.order(OrderKind::open, "SHOP"), Errc::account_state);
    same(issuer.order(OrderKind::close, "SHOP-2"), Errc::unknown_account);
    REQUIRE(market.host.client(shop)->execute(order));
    auto other = order;
    other.order.amount = Amount::minor_units(-99);
    same(other, Errc::conflict);
    auto malformed = order;
    malformed.order.amount = Amount::minor_units(1);
    same(malformed, Errc::malformed);
}

TEST_CASE("the consent of an account's owner travels, and what a refund gives back", "[service]")
{
    Market market;
    auto& issuer = market.issuer;
    const auto client = market.host.client();
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto payment = card.pay(300, "SHOP");
    REQUIRE(client->settle(payment));

    const auto request = [&](std::int64_t amount) {
        auto made = issuer.transfer_request(card.request(Kind::transfer_in, amount, "SHOP"));
        made.refunds = PaymentName{card.id(), payment.receipt.result.sequence};
        return made;
    };
    CHECK(client->authorise_transfer(request(301)).error().code == Errc::refund_limit);
    auto alone = request(200);
    alone.consent = std::nullopt;
    CHECK(client->authorise_transfer(alone).error().code == Errc::consent_needed);
    auto forged = request(200);
    forged.consent = request(201).consent;
    CHECK(client->authorise_transfer(forged).error().code == Errc::bad_signature);

    const auto refund = request(200);
    const auto first = client->authorise_transfer(refund).value().first;
    const auto index = client->settle(submission(card.execute(first))).value().ledger_index;
    CHECK(issuer->entry(index).value()->record()->consent == refund.consent);
    CHECK(client->authorise_transfer(request(101)).error().code == Errc::refund_limit);
    CHECK(client->authorise_transfer(request(100)));
}

TEST_CASE("an operation that comes along brings its owner's consent", "[service]")
{
    Market market;
    auto& issuer = market.issuer;
    auto card = issuer.make_card();
    issuer.execute(OrderKind::pay_in, "SHOP", 500, "bank").value();
    const auto request = issuer.transfer_request(card.request(Kind::transfer_in, 200, "SHOP"));
    const auto first = issuer->authorise_transfer(request).value().first;
    const ExecutedOperation executed{first.operation, first.issuer_signature, request.consent};
    auto sent = submission(card.execute(first), executed, "till-3");
    sent.reference = Reference::parse("invoice 7 \"ü\"");

    https::Problem problem;
    const auto json = https::to_json(sent);
    const auto read = https::read_submission(json, problem).value();
    CHECK(read.executed == sent.executed);
    CHECK(read.receipt == sent.receipt);
    CHECK(read.terminal == sent.terminal);
    CHECK(read.reference == sent.reference);
    auto without = json;
    without.erase("terminal");
    CHECK_FALSE(https::read_submission(without, problem));
    CHECK(problem.text() == "terminal: missing");
    REQUIRE(market.host.client()->settle(sent).value().settled);
}
