// SPDX-License-Identifier: Apache-2.0
// The service's clock jumps between two requests.
#include <catch2/catch.hpp>

#include "moved_clock.hpp"
#include "support/certificates.hpp"
#include "support/https_request.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

constexpr long day = 24 * 60 * 60;
const std::string token = "limited-token-0123456789";

std::string limited()
{
    return "[client limited]\nroles = terminal\namount-per-day = 100\ntoken-sha256 = " +
           service::digest_of_token(token).to_string() + "\n";
}

}  // namespace

TEST_CASE("a clock that jumps changes which day it is, and neither value nor answers", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer, nullptr, {}, limited());
    const auto client = host.client(token);
    MovedClock clock;
    auto card = issuer.make_card();
    const auto top_up = [&] {
        return client->authorise(issuer.request(card, Kind::top_up, 60, {}, "limited"));
    };
    const auto settle = [&](const Result<OperationStatus>& status) {
        REQUIRE(status);
        const auto receipt = card.execute(status->first);
        return client->settle(submission(receipt, std::nullopt, "limited")).value();
    };

    const auto request = issuer.request(card, Kind::top_up, 60, {}, "limited");
    const auto first = client->authorise(request);
    REQUIRE(settle(first).ledger_index == 0);
    CHECK(top_up().error().code == Errc::client_limit);
    clock.set(day);  // the connection stays, and another day has begun
    const auto tomorrow = top_up();
    clock.set(-3 * day);  // before anything of this has happened
    CHECK(settle(tomorrow).ledger_index == 1);
    CHECK(client->authorise(request).value().first == first->first);
    CHECK(settle(top_up()).ledger_index == 2);
    CHECK(top_up().error().code == Errc::client_limit);
    clock.set(0);  // what was moved today is known again
    CHECK(top_up().error().code == Errc::client_limit);
    CHECK(card.balance().to_minor_units() == 180);
    CHECK(issuer->ledger_head().value().size == 3);
    CHECK(issuer.sum_of_books() == 0);
}

TEST_CASE("certificates are judged by the clock as it is at the handshake", "[service]")
{
    TestIssuer issuer;
    TemporaryFolder folder;
    const TestCertificate authority(folder.file("ca"), nullptr, -60 * day, 60 * day);
    const TestCertificate own(folder.file("own"), &authority);
    service::ServiceSettings settings;
    settings.tls.certificate = folder.file("server.crt");
    settings.tls.key = folder.file("server.key");
    settings.tls.client_authority = authority.certificate_file;
    service::tls::make_self_signed(settings.tls.certificate, settings.tls.key).value();
    ServiceHost host(*issuer, nullptr, settings,
                     "[client own]\nroles = terminal\ncertificate-sha256 = " + own.digest() + "\n");
    HttpsIssuerSettings ours;
    ours.url = host.url();
    ours.ca_file = settings.tls.certificate;
    ours.certificate_file = own.certificate_file;
    ours.key_file = own.key_file;
    const auto ask = [&] { return open_https_issuer(ours).value()->description(); };
    MovedClock clock;
    CHECK(ask());
    clock.set(2 * day);
    CHECK(ask().error().code == Errc::client_unknown);
    clock.set(100 * 365 * day);  // and the service's own has expired, too: nothing is sent
    const auto expired = ask().error();
    CHECK(expired.code == Errc::issuer_unreachable);
    CHECK(expired.effect == Effect::none);
    clock.set(0);
    CHECK(ask());
}
