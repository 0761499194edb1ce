// SPDX-License-Identifier: Apache-2.0
// What is sent is read strictly, and what is wrong with it is said.
#include <catch2/catch.hpp>

#include "https/endpoint.hpp"
#include "https/error_json.hpp"
#include "https/messages.hpp"
#include "support/https_request.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;
using https::Json;

namespace {

std::string problem_with(const std::string& text)
{
    https::Problem problem;
    const auto json = https::parse_object(text, problem);
    if (json) (void)https::read_request(*json, problem);
    return problem.text();
}

Json good_request()
{
    return Json::parse(R"({"id": "00000000000000000000000000000001",
        "card_id": "00000000000000000000000000000002", "kind": "top-up", "amount": 5,
        "terminal": "till-1"})");
}

}  // namespace

TEST_CASE("a request with a field too few, too many or mistyped is refused, and the field named",
          "[service]")
{
    CHECK(problem_with(good_request().dump()).empty());
    auto missing = good_request();
    missing.erase("amount");
    CHECK(problem_with(missing.dump()) == "amount: missing");
    auto more = good_request();
    more["colour"] = "red";
    CHECK(problem_with(more.dump()) == "colour: no such field");
    for (const auto& [field, value] : {std::pair<const char*, Json>{"amount", "5"},
                                       {"amount", 5.5},
                                       {"amount", true},
                                       {"amount", std::uint64_t{1} << 63},
                                       {"id", 7},
                                       {"id", "00"},
                                       {"kind", "gift"},
                                       {"terminal", ""},
                                       {"terminal", "a b"},
                                       {"card_id", nullptr}}) {
        auto wrong = good_request();
        wrong[field] = value;
        CHECK(problem_with(wrong.dump()).starts_with(std::string(field) + ": "));
    }
    CHECK(problem_with("{") == "not JSON");
    CHECK(problem_with("[]") == "a JSON object is wanted");
    CHECK(problem_with(R"({"id": 1, "id": 2})") == "id: given twice");
    CHECK(problem_with(std::string(4000, '[')) == "nested too deep");
    CHECK(problem_with(R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}})") == "nested too deep");
    CHECK(problem_with(good_request().dump() + "x") == "not JSON");
}

TEST_CASE("what stands beside the bytes of an object may not differ from them", "[service]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::top_up, 500).value().first;
    const auto json = https::to_json(first);
    const auto read = [](const Json& from) {
        https::Problem problem;
        const auto object = https::read_first(from, problem, "first");
        CHECK(object.has_value() != problem.found());
        return problem.text();
    };
    CHECK(read(json).empty());
    CHECK(read({{"object", json["object"]}}).empty());
    auto other = json;
    other["amount"] = 501;
    CHECK(read(other) == "first.amount: not what the object says");
    other = json;
    other["note"] = "";
    CHECK(read(other) == "first.note: no such field");
    other = json;
    other["object"] = json["object"].get<std::string>() + "00";
    CHECK(read(other) == "first.object: not an object of the protocol");
    other["object"] = "zz";
    CHECK(read(other) == "first.object: bytes in lower-case hex are wanted");
    CHECK(read(Json::object()) == "first.object: missing");
    CHECK(read(7) == "first: an object is wanted");
}

TEST_CASE("a malformed request is answered by name, and the connection goes on", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    WebClient client(host, host.token);
    const auto wrong = client.post("/v1/operations", R"({"id": 1})");
    CHECK(wrong.status == 400);
    CHECK(wrong.code() == "malformed");
    CHECK(wrong.message() == "id: a string is wanted");
    CHECK(client.post("/v1/operations", "no JSON").message() == "not JSON");
    CHECK(client.get("/v1/cards/zz/standing").message() ==
          "card_id: not of the form that is wanted");
    CHECK(client.get("/v1/ledger/entries?limit=257").status == 400);
    CHECK(client.get("/v1/ledger/entries?page=1").message() == "page: no such parameter");
    CHECK(client.get("/v1/nowhere").status == 404);
    CHECK(client.get("/v1/operations").status == 405);
    CHECK(client.get("/v1/cards/").status == 404);
    CHECK(client.get("/v1/issuer").status == 200);
}

TEST_CASE("second instructions and results that are stale, forged or foreign are refused",
          "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    const auto client = host.client();
    auto card = issuer.make_card();
    issuer.open_account(account_id("SHOP")).value();
    issuer.run(card, Kind::top_up, 5000);

    const auto ask = [&](std::uint32_t id, const SecondInstruction& second) {
        return client->authorise_transfer(
            {.id = id_of<OperationId>(id), .second = second, .terminal = account_id("T1")});
    };
    const auto stale = card.request(Kind::transfer_out, -100, "SHOP");
    const auto first = ask(77, stale).value().first;
    CHECK(ask(77, stale).value().first == first);
    CHECK(ask(78, stale).error().code == Errc::operation_pending);
    const auto receipt = card.execute(first);
    REQUIRE(client->settle(submission(receipt)));
    CHECK(ask(79, stale).error().code == Errc::wrong_sequence);
    auto forged_request = card.request(Kind::transfer_out, -100, "SHOP");
    forged_request.card_signature = stale.card_signature;
    CHECK(ask(80, forged_request).error().code == Errc::bad_signature);

    auto forged = receipt;
    forged.result.balance = Balance::minor_units(9'999'999);
    CHECK(client->settle(submission(forged)).error().code == Errc::bad_signature);
    auto unknown = receipt;
    unknown.result.card_id = id_of<CardId>(4711);
    CHECK(client->settle(submission(unknown)).error().code == Errc::unknown_card);
    CHECK(client->settle(submission(receipt)).value().settled);
    CHECK(client->standing(id_of<CardId>(4711), std::nullopt).error().code == Errc::unknown_card);
    CHECK(client->status(id_of<OperationId>(4711), std::nullopt).error().code ==
          Errc::unknown_operation);
    CHECK(issuer.sum_of_books() == 0);
}

TEST_CASE(
    "an old result that differs from the one that settled is kept as evidence, and denies the card",
    "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    const auto client = host.client();
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    auto clone = card;
    const auto payment = card.pay(100, "SHOP");
    const auto of_clone = clone.pay(200, "SHOP");
    REQUIRE(client->settle(payment).value().ledger_index == 1);
    const auto next = card.pay(100, "SHOP");
    REQUIRE(client->settle(next).value().ledger_index == 2);
    CHECK(client->settle(of_clone).error().code == Errc::evidence);
    CHECK(WebClient(host, host.token).get("/v1/evidence").body["evidence"].size() == 1);
    CHECK(client->standing(card.id(), std::nullopt).value().denied);
    CHECK(client->settle(payment).value().ledger_index == 1);
    CHECK(issuer->ledger_head().value().size == 3);
    CHECK(issuer.sum_of_books() == 0);
}

TEST_CASE("a card that was not derived from the card root is not registered", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    const auto client = host.client();
    SoftwareCardRoot root(seed(2)), other(seed(9));
    const auto key = root.derive(id_of<CardId>(500)).value();
    NewCard card{.card_id = id_of<CardId>(500),
                 .certificate = key.certificate,
                 .public_key = other.derive(id_of<CardId>(500)).value().public_key,
                 .transport_key = Digest{},
                 .limits = issuer.limits,
                 .sealed = SealedPersonalisation(key.certificate.bytes())};
    CHECK(client->register_card(card).error().code == Errc::bad_signature);
    card.public_key = key.public_key;
    REQUIRE(client->register_card(card));
    const auto registered = client->card_of_transport_key(Digest{}).value().value();
    CHECK(registered.row.first_operation_key == issuer.description().operation_keys.front());
    CHECK(registered.row.card_id == card.card_id);
    CHECK(registered.row.limits == card.limits);
    CHECK(registered.sealed == card.sealed);
    REQUIRE(client->confirm_card(card.card_id));
    CHECK_FALSE(client->card_of_transport_key(Digest{}).value()->sealed);
    CHECK(client->register_card(card).error().code == Errc::conflict);
    REQUIRE(client->deny(card.card_id));
    CHECK(client->standing(card.card_id, std::nullopt).value().denied);
    REQUIRE(client->undeny(card.card_id));
    CHECK(client->cards().value().size() == 1);
    CHECK(client->cards().value()[0].public_key == key.public_key);
}

TEST_CASE("an error of the platform is the same error at the client", "[service]")
{
    const auto status = [](const Error& error) {
        const auto read = https::read_error(https::to_json(error).dump()).value();
        CHECK(read.code == error.code);
        CHECK(read.effect == error.effect);
        CHECK(read.detail == error.detail);
        CHECK(read.where == std::string(error.where));
        return https::status_of(error);
    };
    CHECK(status({.code = Errc::account_state, .where = "account order"}) == 409);
    CHECK(status({.code = Errc::not_the_owner, .where = "authorise"}) == 403);
    CHECK(status({.code = Errc::consent_needed, .where = "account order"}) == 403);
    CHECK(status({.code = Errc::wrong_order_number, .detail = 7, .where = "account order"}) == 409);
    CHECK(status({.code = Errc::refund_limit, .where = "payment to refund"}) == 409);
    CHECK(status({.code = Errc::clock_wrong, .where = "ledger"}) == 500);
    CHECK(status({.code = Errc::card_state, .where = "a card that is not denied"}) == 409);
    CHECK(status({.code = Errc::not_permitted, .where = "cash of another terminal"}) == 403);
    CHECK(status({.code = Errc::not_permitted, .where = "account"}) == 403);
    CHECK(status({.code = Errc::file_damaged, .where = "deny list"}) == 500);
}

TEST_CASE("URLs are https, a host and a port", "[service]")
{
    CHECK(https::parse_url("https://a.example")->port == 443);
    CHECK(https::parse_url("https://127.0.0.1:8443/")->port == 8443);
    CHECK(https::parse_url("https://[::1]:8443")->host == "::1");
    for (const auto* wrong : {"http://a", "https://", "https://a:0", "https://a:65536",
                              "https://a/b", "https://a:1:2", "https://u@a", "https://[::1"})
        CHECK_FALSE(https::parse_url(wrong));
}
