// SPDX-License-Identifier: Apache-2.0
// Files of settings and of clients: each error names its line.
#include <catch2/catch.hpp>

#include "service/clients.hpp"
#include "service/settings.hpp"
#include "service/usage.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::service;

TEST_CASE("a configuration is read, and what is not in it lies in the folder", "[service]")
{
    const auto settings = parse_settings(
                              "# ours\nlisten = [::1]:9000\n\nfolder = /srv/issuer\n"
                              "ledger-public = yes\nsettle-queue = 7\n"
                              "certificate = /etc/tls/a.crt\n")
                              .value();
    CHECK(settings.folder == "/srv/issuer");
    CHECK(settings.service.server.address == "::1");
    CHECK(settings.service.server.port == 9000);
    CHECK(settings.service.ledger_public);
    CHECK(settings.service.settle_queue == 7);
    CHECK(settings.service.tls.certificate == "/etc/tls/a.crt");
    CHECK(settings.service.tls.key == "/srv/issuer/tls.key");
    CHECK(settings.service.clients_file == "/srv/issuer/clients");
    CHECK(settings.store == "/srv/issuer/store.db");
    CHECK(settings.operation_keys.empty());
    CHECK(settings.quarantine_days == 30);
    CHECK(settings.gap_days == 30);
}

TEST_CASE("a configuration says how long a quarantine is, and when a gap is made", "[service]")
{
    const auto settings = parse_settings("quarantine-days = 0\ngap-days = 45\n").value();
    CHECK(settings.quarantine_days == 0);
    CHECK(settings.gap_days == 45);
    CHECK(parse_settings("quarantine-days = 3651\n").error().detail == 1);
    CHECK(parse_settings("\ngap-days = 0\n").error().detail == 2);
}

TEST_CASE("a configuration names the store and keys that are elsewhere", "[service]")
{
    const auto settings =
        parse_settings(
            "store = postgresql:///issuer?host=/run/postgresql\n"
            "operation-key = pkcs11:object=a?module-path=/m.so  /srv/b.key\n"
            "checkpoint-key = pkcs11:object=c?module-path=/m.so\nhsm-pin-file = /srv/pin\n")
            .value();
    CHECK(settings.store == "postgresql:///issuer?host=/run/postgresql");
    CHECK(settings.operation_keys ==
          std::vector<std::string>{"pkcs11:object=a?module-path=/m.so", "/srv/b.key"});
    CHECK(settings.checkpoint_key == "pkcs11:object=c?module-path=/m.so");
    CHECK(settings.hsm_pin_file == "/srv/pin");
}

TEST_CASE("a configuration names the witnesses' policy, and the folder keeps what they cosigned",
          "[service]")
{
    const auto witnesses = parse_settings(
                               "folder = /srv/issuer\nwitness-policy = /etc/w\n"
                               "witness-authority = /etc/ca\n")
                               .value()
                               .service.witnesses;
    CHECK(witnesses.policy_file == "/etc/w");
    CHECK(witnesses.authority == "/etc/ca");
    CHECK(witnesses.cosigned_file == "/srv/issuer/checkpoint.cosigned");
    CHECK(parse_settings("").value().service.witnesses.policy_file.empty());
}

TEST_CASE("an error in a configuration names its line", "[service]")
{
    const auto line_of = [](const char* text) {
        const auto settings = parse_settings(text);
        REQUIRE_FALSE(settings);
        CHECK(settings.error().code == Errc::file_malformed);
        return settings.error().detail;
    };
    CHECK(line_of("\n\ncolour = red\n") == 3);
    CHECK(line_of("listen = 127.0.0.1:1\nlisten = 127.0.0.1:2\n") == 2);
    CHECK(line_of("listen = somewhere\n") == 1);
    CHECK(line_of("listen = 127.0.0.1:65536\n") == 1);
    CHECK(line_of("connections = 0\n") == 1);
    CHECK(line_of("connections = 12x\n") == 1);
    CHECK(line_of("folder = a\nledger-public = true\n") == 2);
    CHECK(line_of("folder\n") == 1);
    CHECK(line_of("folder =\n") == 1);
    CHECK(line_of("folder = a\n[client x]\n") == 2);
    CHECK(line_of("folder = a\001b\n") == 1);
}

TEST_CASE("an error in a file of clients names its line", "[service]")
{
    const auto line_of = [](const std::string& text) {
        const auto clients = Clients::parse(text);
        REQUIRE_FALSE(clients);
        CHECK(clients.error().code == Errc::file_malformed);
        return clients.error().detail;
    };
    const auto digest = digest_of_token("a-token-0123456789-abc").to_string();
    CHECK(line_of("roles = terminal\n") == 1);
    CHECK(line_of("[client a]\n") == 1);
    CHECK(line_of("[client a]\nroles = king\n") == 2);
    CHECK(line_of("[client a]\nroles = terminal\ntoken-sha256 = 00\n") == 3);
    CHECK(line_of("[client a]\nroles = terminal\n[client a]\nroles = auditor\n") == 3);
    CHECK(line_of("[user a]\nroles = terminal\n") == 1);
    CHECK(line_of("[client a]\nroles = terminal\namount-per-day = -1\n") == 3);
    CHECK(line_of("[client a]\nroles = terminal\ntoken-sha256 = " + digest +
                  "\n[client b]\nroles = auditor\ntoken-sha256 = " + digest + "\n") == 4);
    CHECK(line_of("[client a]\nroles = terminal\nshoe-size = 44\n") == 3);

    const auto clients =
        Clients::parse("[client a]\nroles = terminal merchant auditor\ntoken-sha256 = " + digest +
                       "\namount-per-day = 5\n")
            .value();
    const auto* found = clients.with_token("a-token-0123456789-abc");
    REQUIRE(found != nullptr);
    CHECK(found->roles == (role::terminal | role::merchant | role::auditor));
    CHECK(found->accounts.front().text() == "a");
    CHECK(clients.with_token("a-token-0123456789-abd") == nullptr);
}

TEST_CASE("what was moved today is known after a restart", "[service]")
{
    test::TemporaryFolder folder;
    const auto id = test::id_of<OperationId>(1), other = test::id_of<OperationId>(2);
    {
        const auto usage = Usage::open(folder.file("usage")).value();
        REQUIRE(usage->count("a", id, 60, 100));
        REQUIRE(usage->count("a", id, 60, 100));
        CHECK(usage->count("a", other, 41, 100).error().code == Errc::client_limit);
        REQUIRE(usage->count("b", other, 41, 100));
    }
    const auto usage = Usage::open(folder.file("usage")).value();
    CHECK(usage->count("a", other, 41, 100).error().code == Errc::client_limit);
    REQUIRE(usage->forget("a", id));
    CHECK(usage->count("a", other, 41, 100));
}
