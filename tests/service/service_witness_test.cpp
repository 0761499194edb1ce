// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <filesystem>

#include <sys/socket.h>

#include "issuer/files.hpp"
#include "support/https_request.hpp"
#include "support/service_host.hpp"
#include "support/test_issuer.hpp"
#include "support/wait_until.hpp"
#include "support/witness_host.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

NoteKey key_of(const IssuerDescription& issuer)
{
    return {.name = issuer.origin, .type = NoteKeyType::log, .key = issuer.checkpoint_key};
}

// An issuer, and two witnesses of it.
class Consortium {
public:
    Consortium()
    {
        files::create(authorities(), files::read(first.authority(), 65536).value() +
                                         files::read(second.authority(), 65536).value())
            .value();
    }

    // A service that wants so many of them.
    std::unique_ptr<ServiceHost> serve(unsigned wanted)
    {
        service::ServiceSettings settings;
        settings.ledger_public = true;
        settings.witnesses = {.policy_file = folder.file("policy"),
                              .authority = authorities(),
                              .cosigned_file = folder.file("checkpoint.cosigned"),
                              .every = std::chrono::milliseconds(20)};
        write_file(settings.witnesses.policy_file, policy(wanted));
        return std::make_unique<ServiceHost>(*issuer, &issuer.checkpoint_key(), settings);
    }
    std::string policy(unsigned wanted) const
    {
        return "witness one " + witness_key(1).verifier().to_string() + ' ' + first.url() +
               "\nwitness two " + witness_key(2).verifier().to_string() + ' ' + second.url() +
               "/\ngroup both " + std::to_string(wanted) + " one two\nquorum both\n";
    }
    // Of the checkpoint that the service shows, once it is on so many records.
    std::string shown(const ServiceHost& host, std::uint64_t size) const
    {
        WebClient anybody(host);
        std::string note;
        testing::wait_until("the checkpoint is shown", [&] {
            const auto answer = anybody.get("/tlog/checkpoint");
            note = answer.text;
            return answer.status == 200 && open(note).head.size == size;
        });
        return note;
    }
    Checkpoint open(const std::string& note) const
    {
        const auto& description = issuer.description();
        return Checkpoint::open_cosigned(note, description.origin, description.checkpoint_key)
            .value();
    }
    std::size_t cosigners(const std::string& note) const
    {
        return WitnessPolicy::parse(policy(1)).value().cosignatures(note).value().size();
    }
    std::string authorities() const { return folder.file("authorities"); }

    TestIssuer issuer;
    WitnessHost first{1, key_of(issuer.description())}, second{2, key_of(issuer.description())};
    TemporaryFolder folder;
};

}  // namespace

TEST_CASE("the service shows the newest checkpoint that enough witnesses cosigned", "[service]")
{
    Consortium it;
    auto card = it.issuer.make_card();
    it.issuer.run(card, Kind::top_up, 100);
    const auto host = it.serve(2);
    CHECK(it.cosigners(it.shown(*host, 1)) == 2);
    for (int i = 0; i < 3; ++i) it.issuer.run(card, Kind::top_up, 1);
    const auto note = it.shown(*host, 4);
    CHECK(it.cosigners(note) == 2);
    CHECK(it.open(note).head == it.issuer->ledger_head().value());
    CHECK(files::read(it.folder.file("checkpoint.cosigned"), 65536).value() == note);
    CHECK(it.first.known() == 4);

    WebClient auditor(*host, host->token);
    const auto checkpoint = auditor.get("/v1/ledger/checkpoint");
    CHECK(checkpoint.body["note"] == note);
    CHECK(checkpoint.body["size"] == 4);
    CHECK(auditor.get("/metrics").text.find("tallycard_ledger_witnessed 4\n") != std::string::npos);
}

TEST_CASE("with one of two witnesses down one is enough, and two are not", "[service]")
{
    Consortium it;
    auto card = it.issuer.make_card();
    it.issuer.run(card, Kind::top_up, 100);
    it.second.stop();
    {
        const auto host = it.serve(1);
        CHECK(it.cosigners(it.shown(*host, 1)) == 1);
    }
    it.issuer.run(card, Kind::top_up, 1);
    const auto host = it.serve(2);
    WebClient anybody(*host);
    testing::wait_until("the first signs", [&] { return it.first.known() == 2; });
    // What the first policy wanted does not count for this one.
    const auto missing = anybody.get("/tlog/checkpoint");
    CHECK(missing.status == 503);
    CHECK(missing.code() == "witnesses_missing");
    CHECK(missing.retry_after == "1");
    it.second.start();  // and it signs what it missed
    CHECK(it.cosigners(it.shown(*host, 2)) == 2);
}

TEST_CASE("while too few witnesses are there the older checkpoint stays, after a restart too",
          "[service]")
{
    Consortium it;
    auto card = it.issuer.make_card();
    it.issuer.run(card, Kind::top_up, 100);
    auto host = it.serve(2);
    const auto older = it.shown(*host, 1);
    it.second.stop();
    it.issuer.run(card, Kind::top_up, 1);
    testing::wait_until("the first signs", [&] { return it.first.known() == 2; });
    CHECK(WebClient(*host).get("/tlog/checkpoint").text == older);
    host.reset();
    host = it.serve(2);
    CHECK(WebClient(*host).get("/tlog/checkpoint").text == older);
    it.second.start();
    CHECK(it.cosigners(it.shown(*host, 2)) == 2);

    // The file is a copy of what can be had again.
    host.reset();
    std::filesystem::remove(it.folder.file("checkpoint.cosigned"));
    host = it.serve(2);
    CHECK(it.cosigners(it.shown(*host, 2)) == 2);
}

TEST_CASE("a witness that saw another ledger does not cosign, and the service shows none",
          "[service]")
{
    Consortium it;
    auto card = it.issuer.make_card();
    it.issuer.run(card, Kind::top_up, 100);
    const Checkpoint other{it.issuer.description().origin, {.size = 1, .root = Digest{}}};
    const auto note = other.sign(it.issuer.checkpoint_key()).value();
    REQUIRE(it.first.ask("old 0\n\n" + note).verdict == witness::Verdict::cosigned);
    const auto host = it.serve(2);
    testing::wait_until("the second signs", [&] { return it.second.known() == 1; });
    CHECK(WebClient(*host).get("/tlog/checkpoint").code() == "witnesses_missing");
    for (int i = 0; i < 2; ++i) it.issuer.run(card, Kind::top_up, 1);
    testing::wait_until("the second signs", [&] { return it.second.known() == 3; });
    CHECK(it.first.known() == 1);
    CHECK(WebClient(*host).get("/tlog/checkpoint").code() == "witnesses_missing");
}

TEST_CASE("a witness that takes connections and never answers holds up nothing", "[service]")
{
    Consortium it;
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 4) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    auto card = it.issuer.make_card();
    service::ServiceSettings settings;
    settings.witnesses = {.policy_file = it.folder.file("policy"),
                          .authority = it.authorities(),
                          .cosigned_file = it.folder.file("checkpoint.cosigned"),
                          .every = std::chrono::milliseconds(10)};
    settings.ledger_public = true;
    write_file(settings.witnesses.policy_file,
               "witness silent " + witness_key(2).verifier().to_string() +
                   " https://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) +
                   "\nwitness one " + witness_key(1).verifier().to_string() + ' ' + it.first.url() +
                   "\ngroup either any silent one\nquorum either\n");
    const auto begin = std::chrono::steady_clock::now();
    auto host = std::make_unique<ServiceHost>(*it.issuer, &it.issuer.checkpoint_key(), settings);
    const int taken = ::accept(listener, nullptr, nullptr);  // it is being asked
    REQUIRE(taken >= 0);

    CHECK(it.cosigners(it.shown(*host, 0)) == 1);  // the other has answered
    for (int i = 0; i < 20; ++i) it.issuer.run(card, Kind::top_up, 1);
    CHECK(host->client()->standing(card.id(), std::nullopt).value().settled == 20);
    host.reset();  // nor the end of the service
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(3));
    ::close(taken);
    ::close(listener);
}

TEST_CASE("a service does not start with a policy that it could never meet", "[service]")
{
    Consortium it;
    service::EventLog log(nullptr);
    service::ServiceSettings settings;
    settings.server.port = 0;
    settings.tls.certificate = it.folder.file("tls.crt");
    settings.tls.key = it.folder.file("tls.key");
    service::tls::make_self_signed(settings.tls.certificate, settings.tls.key).value();
    settings.clients_file = it.folder.file("clients");
    write_file(settings.clients_file, "");
    settings.witnesses.policy_file = it.folder.file("policy");
    const auto refusal = [&](const std::string& policy, bool with_key = true) {
        write_file(settings.witnesses.policy_file, policy);
        const auto* key = with_key ? &it.issuer.checkpoint_key() : nullptr;
        const auto opened = service::Service::open(*it.issuer, key, settings, log);
        REQUIRE(!opened);
        return opened.error().code;
    };
    const auto vkey = witness_key(1).verifier().to_string();
    CHECK(refusal("witness w " + vkey + "\nquorum w\n") == Errc::witnesses_missing);
    CHECK(refusal("quorum w\n") == Errc::file_malformed);
    for (const auto* url : {"http://w.test", "https://", "https://w.test:0", "https://w.test/a?b",
                            "w.test", "https://w.test/\"", "https://w.test/#a"})
        CHECK(refusal("witness w " + vkey + ' ' + url + "\nquorum w\n") == Errc::malformed);
    CHECK(refusal("witness w " + vkey + " https://w t\nquorum w\n") == Errc::file_malformed);
    CHECK(refusal(it.policy(2), false) == Errc::file_missing);
    std::filesystem::remove(settings.witnesses.policy_file);
    const auto opened =
        service::Service::open(*it.issuer, &it.issuer.checkpoint_key(), settings, log);
    REQUIRE(!opened);
    CHECK(opened.error().code == Errc::file_missing);
}
