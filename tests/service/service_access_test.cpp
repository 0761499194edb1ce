// SPDX-License-Identifier: Apache-2.0
// Who may do what: tokens, certificates, roles, limits; and that a repeated request is one request.
#include <catch2/catch.hpp>

#include "https/messages.hpp"
#include "support/certificates.hpp"
#include "support/https_request.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

const std::string limited = "limited-token-0123456789", auditor = "auditor-token-0123456789",
                  operator_token = "operator-token-0123456789";

std::string several()
{
    return client_section("limited", "terminal", limited,
                          "amount-per-operation = 5000\namount-per-day = 12000\n") +
           client_section("books", "auditor", auditor) +
           client_section("office", "operator", operator_token);
}

std::string body_of(const OperationRequest& request)
{
    return https::to_json(request).dump();
}

}  // namespace

TEST_CASE("who shows no token, a wrong or a revoked one is refused by name", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    CHECK(WebClient(host).get("/v1/issuer").code() == "client_unknown");
    CHECK(WebClient(host, service::make_token()).get("/v1/issuer").status == 401);
    CHECK(WebClient(host).get("/v1/health").status == 200);

    WebClient kept(host, host.token);
    REQUIRE(kept.get("/v1/issuer").status == 200);
    write_file(host.clients_file(), client_section("other", "auditor", auditor));
    REQUIRE(host.service->reload());
    CHECK(kept.get("/v1/issuer").code() == "client_unknown");
    CHECK(host.client()->description().error().code == Errc::client_unknown);
    CHECK(WebClient(host, auditor).get("/v1/issuer").status == 200);
}

TEST_CASE("a file of clients that does not read changes nothing", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    write_file(host.clients_file(), "[client a]\nroles = king\n");
    const auto reloaded = host.service->reload();
    REQUIRE_FALSE(reloaded);
    CHECK(reloaded.error().code == Errc::file_malformed);
    CHECK(reloaded.error().detail == 2);
    CHECK(WebClient(host, host.token).get("/v1/issuer").status == 200);
}

TEST_CASE("a client does what its roles say, and nothing else", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer, &issuer.checkpoint_key(), {}, several());
    auto card = issuer.make_card();
    WebClient terminal(host, limited), office(host, operator_token), books(host, auditor);
    const auto top_up = body_of(issuer.request(card, Kind::top_up, 100, {}, "limited"));
    const auto block = body_of(issuer.request(card, Kind::block, 0, {}, "office"));

    CHECK(books.post("/v1/operations", top_up).code() == "not_permitted");
    CHECK(office.post("/v1/operations", top_up).where() == "role");
    CHECK(terminal.post("/v1/operations", block).code() == "not_permitted");
    CHECK(terminal.get("/v1/accounts").code() == "not_permitted");
    const auto pay_in = https::to_json(issuer.order(OrderKind::pay_in, "SHOP", 500, "bank")).dump();
    CHECK(books.post("/v1/orders", pay_in).code() == "not_permitted");
    CHECK(terminal.post("/v1/orders", pay_in).where() == "role");
    const auto others = body_of(issuer.request(card, Kind::top_up, 100, {}, "till-1"));
    CHECK(terminal.post("/v1/operations", others).where() == "terminal");

    CHECK(terminal.post("/v1/operations", top_up).status == 200);
    issuer.open_account(account_id("SHOP")).value();
    const auto next = https::to_json(issuer.order(OrderKind::pay_in, "SHOP", 500, "bank")).dump();
    CHECK(office.post("/v1/orders", next).status == 200);
    CHECK(books.get("/v1/accounts/SHOP").body["balance"] == 500);
    CHECK(books.get("/v1/ledger/checkpoint").body["size"] == 2);
}

TEST_CASE("a terminal moves no more than its limits, at once and in a day", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer, nullptr, {}, several());
    WebClient terminal(host, limited);
    auto card = issuer.make_card();
    const auto ask = [&](std::int64_t amount) {
        return issuer.request(card, Kind::top_up, amount, {}, "limited");
    };
    const auto settle = [&](const WebAnswer& answer) {
        https::Problem problem;
        const auto status = https::read_status(https::Json::parse(answer.text), problem).value();
        issuer->settle(submission(card.execute(status.first))).value();
    };
    const auto above = terminal.post("/v1/operations", body_of(ask(5001)));
    CHECK(above.code() == "client_limit");
    CHECK(above.where() == "amount of one operation");

    const auto first = ask(5000);
    const auto signed_first = terminal.post("/v1/operations", body_of(first));
    REQUIRE(signed_first.status == 200);
    // What the platform refuses does not count: the card has an operation already.
    CHECK(terminal.post("/v1/operations", body_of(ask(5000))).code() == "operation_pending");
    settle(signed_first);
    settle(terminal.post("/v1/operations", body_of(ask(5000))));
    const auto third = terminal.post("/v1/operations", body_of(ask(2001)));
    CHECK(third.code() == "client_limit");
    CHECK(third.where() == "amount of the day");
    // Asking again is not moving again, and is answered whatever the limits are.
    CHECK(terminal.post("/v1/operations", body_of(first)).status == 200);
    settle(terminal.post("/v1/operations", body_of(ask(2000))));
    CHECK(card.balance().to_minor_units() == 12000);
}

TEST_CASE("a terminal delivers results as itself alone, and an operator as any", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer, nullptr, {}, several());
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto terminal = host.client(limited), office = host.client(operator_token);
    const auto first = card.pay(100, "SHOP");
    const auto refused = terminal->settle(submission(first.receipt, first.executed, "till-1"));
    CHECK(refused.error().code == Errc::not_permitted);
    CHECK(refused.error().where == std::string("terminal"));
    REQUIRE(terminal->settle(submission(first.receipt, first.executed, "limited")));
    const auto second = card.pay(100, "SHOP");
    REQUIRE(office->settle(submission(second.receipt, second.executed, "till-7")));
    CHECK(issuer->entry(1).value()->delivered()->terminal == account_id("limited"));
    CHECK(issuer->entry(2).value()->delivered()->terminal == account_id("till-7"));
}

TEST_CASE("a repeated request has the same answer, and moves nothing twice", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    const auto client = host.client();
    auto card = issuer.make_card();
    const auto request = issuer.request(card, Kind::top_up, 700, {}, "till-1");
    const auto first = client->authorise(request).value();
    CHECK(client->authorise(request).value().first == first.first);
    auto other = request;
    other.amount = Amount::minor_units(701);
    CHECK(client->authorise(other).error().code == Errc::conflict);

    const auto receipt = card.execute(first.first);
    const auto settled = client->settle(submission(receipt)).value();
    CHECK(client->settle(submission(receipt)).value().ledger_index == settled.ledger_index);
    CHECK(client->status(request.id, std::nullopt).value().progress == Progress::settled);
    CHECK(issuer->ledger_head().value().size == 1);
    CHECK(issuer.sum_of_books() == 0);
}

TEST_CASE("a certificate of the authority is as good as a token; others are refused by name",
          "[service]")
{
    TestIssuer issuer;
    TemporaryFolder folder;
    const TestCertificate authority(folder.file("ca"), nullptr);
    const TestCertificate stranger(folder.file("stranger"), nullptr);
    const TestCertificate good(folder.file("good"), &authority);
    const TestCertificate unlisted(folder.file("unlisted"), &authority);
    const TestCertificate foreign(folder.file("foreign"), &stranger);
    const TestCertificate expired(folder.file("expired"), &authority, -7200, -3600);
    const TestCertificate early(folder.file("early"), &authority, 3600, 7200);
    service::ServiceSettings settings;
    settings.tls.certificate = folder.file("server.crt");
    settings.tls.key = folder.file("server.key");
    settings.tls.client_authority = authority.certificate_file;
    service::tls::make_self_signed(settings.tls.certificate, settings.tls.key).value();
    std::string clients;
    for (const auto* known : {&good, &foreign, &expired, &early})
        clients += "[client c" + known->digest().substr(0, 8) +
                   "]\nroles = terminal\ncertificate-sha256 = " + known->digest() + "\n";
    ServiceHost host(*issuer, nullptr, settings, clients);

    const auto ask = [&](const TestCertificate& shown) {
        httplib::SSLClient http("127.0.0.1", host.service->port(), shown.certificate_file,
                                shown.key_file);
        http.set_ca_cert_path(settings.tls.certificate);
        http.enable_server_certificate_verification(true);
        const auto answer = http.Get("/v1/issuer");
        REQUIRE(answer);
        return nlohmann::json::parse(answer->body);
    };
    CHECK(ask(good)["origin"] == "issuer.test");
    CHECK(ask(unlisted)["error"]["where"] == "client certificate");
    CHECK(ask(foreign)["error"]["where"] == "client certificate is of a foreign authority");
    CHECK(ask(expired)["error"]["where"] == "client certificate has expired");
    CHECK(ask(early)["error"]["where"] == "client certificate is not valid yet");

    HttpsIssuerSettings ours;
    ours.url = host.url();
    ours.ca_file = settings.tls.certificate;
    ours.certificate_file = good.certificate_file;
    ours.key_file = good.key_file;
    CHECK(open_https_issuer(ours).value()->description().value() == issuer.description());
    ours.certificate_file = expired.certificate_file;
    ours.key_file = expired.key_file;
    CHECK(open_https_issuer(ours).value()->description().error().code == Errc::client_unknown);
}

TEST_CASE("a client does not talk to a service that it was not told to trust", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer), other(*issuer);
    auto settings = host.settings(host.token);
    settings.ca_file = other.authority();
    const auto refused = open_https_issuer(settings).value()->description();
    CHECK(refused.error().code == Errc::issuer_unreachable);
    CHECK(refused.error().effect == Effect::none);

    host.stop();
    settings = host.settings(host.token);
    CHECK(open_https_issuer(settings).value()->description().error().effect == Effect::none);
    settings.url = "http://127.0.0.1:1";
    CHECK(open_https_issuer(settings).error().code == Errc::malformed);
}
