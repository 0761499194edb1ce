// SPDX-License-Identifier: Apache-2.0
// The ledger over the service: everything that an auditor gets proves itself.
#include <catch2/catch.hpp>

#include "support/https_request.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

std::vector<Digest> path_of(const nlohmann::json& json)
{
    std::vector<Digest> path;
    for (const auto& item : json) path.push_back(Digest::parse(item.get<std::string>()).value());
    return path;
}

Digest digest_at(const std::string& tile, std::size_t index)
{
    std::array<std::uint8_t, 32> bytes{};
    std::copy_n(tile.begin() + static_cast<std::ptrdiff_t>(32 * index), 32, bytes.begin());
    return Digest(bytes);
}

// The root of a tree of at most 256 leaves.
Digest root_of(const std::string& tile)
{
    merkle::Frontier tree;
    for (std::size_t i = 0; i < tile.size() / 32; ++i) tree.append(digest_at(tile, i));
    return tree.root();
}

}  // namespace

TEST_CASE("checkpoint, entries and proofs that the service gives verify", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer, &issuer.checkpoint_key());
    WebClient client(host, host.token);
    auto card = issuer.make_card();
    for (int i = 0; i < 5; ++i) issuer.run(card, Kind::top_up, 100);
    const auto& description = issuer.description();
    const auto open = [&](const WebAnswer& answer) {
        return Checkpoint::open(answer.body["note"].get<std::string>(), description.origin,
                                description.checkpoint_key)
            .value()
            .head;
    };
    const auto earlier = open(client.get("/v1/ledger/checkpoint"));
    CHECK(earlier.size == 5);
    for (int i = 0; i < 4; ++i) issuer.run(card, Kind::cash_out, -10);
    const auto later = open(client.get("/v1/ledger/checkpoint"));

    const auto consistency = client.get("/v1/ledger/proofs/consistency?from=5").body;
    CHECK(consistency["root"] == later.root.to_string());
    CHECK(merkle::verify_consistency(earlier, later, path_of(consistency["path"])));

    const auto entries = client.get("/v1/ledger/entries?from=2&limit=3").body["entries"];
    REQUIRE(entries.size() == 3);
    for (const auto* query : {"index=4", "card_id=00000001000000000000000000000000&sequence=5"}) {
        const auto proof = client.get(std::string("/v1/ledger/proofs/inclusion?") + query).body;
        const auto object = proof["entry"]["object"].get<std::string>();
        CHECK(object == entries[2]["object"]);
        std::vector<std::uint8_t> bytes(object.size() / 2);
        REQUIRE(detail::from_hex(object, bytes));
        CHECK(merkle::verify_inclusion(merkle::leaf_hash(bytes), 4, 9, path_of(proof["path"]),
                                       later.root));
    }
    CHECK(client.get("/v1/ledger/proofs/inclusion?index=9").code() == "unknown_operation");
    CHECK(client.get("/v1/ledger/proofs/inclusion").status == 400);
    CHECK(client.get("/v1/ledger/proofs/consistency?from=0").status == 404);
    CHECK(client.get("/v1/evidence").body["evidence"].empty());
}

TEST_CASE("an entry is its exact bytes, and beside them its kind", "[service]")
{
    TestIssuer issuer;
    ServiceHost host(*issuer);
    WebClient client(host, host.token);
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer.clock += std::chrono::seconds(5);
    issuer.open_account(account_id("SHOP")).value();
    issuer.execute(OrderKind::adjust, "SHOP", 70, "bank").value();
    card.pay(100, "SHOP");
    issuer.settle(card.pay(100, "SHOP")).value();
    issuer->deny(card.id()).value();

    const auto entries = client.get("/v1/ledger/entries").body["entries"];
    REQUIRE(entries.size() == 5);
    for (std::size_t i = 0; i < entries.size(); ++i)
        CHECK(entries[i]["object"] == to_hex(issuer->entry(i).value()->encode()));
    const auto start = std::chrono::milliseconds(std::chrono::days(20000)).count();
    CHECK(entries[0]["kind"] == "top-up");
    CHECK(entries[0]["terminal"] == "T1");
    CHECK(entries[0]["time"] == start);
    CHECK(entries[1]["kind"] == "open");
    CHECK(entries[1]["account"] == "SHOP");
    CHECK(entries[1]["key"] == account_owner().public_key().to_string());
    CHECK(entries[1]["time"] == start + 5000);
    CHECK(entries[2]["kind"] == "adjust");
    CHECK(entries[2]["other"] == "bank");
    CHECK(entries[2]["reference"] == "case 1");
    CHECK(entries[2]["number"] == 2);
    CHECK(entries[3]["kind"] == "gap");
    CHECK(entries[3]["card_id"] == card.id().to_string());
    CHECK(entries[3]["last"] == 2);
    CHECK(entries[3]["balance"] == 900);
    CHECK(entries[4]["kind"] == "payment");
    CHECK(entries[4]["balance"] == 800);
}

TEST_CASE("the ledger reads as C2SP tlog-tiles has it", "[service]")
{
    TestIssuer issuer;
    service::ServiceSettings settings;
    settings.ledger_public = true;
    ServiceHost host(*issuer, &issuer.checkpoint_key(), settings);
    WebClient anybody(host);
    auto card = issuer.make_card();
    for (int i = 0; i < 258; ++i) issuer.run(card, Kind::top_up, 1);
    const auto note = anybody.get("/tlog/checkpoint").text;
    const auto& description = issuer.description();
    const auto head =
        Checkpoint::open(note, description.origin, description.checkpoint_key).value().head;
    REQUIRE(head.size == 258);

    const auto full = anybody.get("/tlog/tile/0/000").text;
    const auto rest = anybody.get("/tlog/tile/0/001.p/2").text;
    const auto above = anybody.get("/tlog/tile/1/000.p/1").text;
    REQUIRE(full.size() == 256 * 32);
    REQUIRE(rest.size() == 2 * 32);
    CHECK(digest_at(above, 0) == root_of(full));
    CHECK(root_of(full + rest) == head.root);

    const auto bundle = anybody.get("/tlog/tile/entries/000").text;
    std::size_t at = 0, entries = 0;
    while (at + 2 <= bundle.size()) {
        const auto size = static_cast<std::size_t>(static_cast<std::uint8_t>(bundle[at]) << 8 |
                                                   static_cast<std::uint8_t>(bundle[at + 1]));
        REQUIRE(at + 2 + size <= bundle.size());
        const std::vector<std::uint8_t> entry(
            bundle.begin() + static_cast<std::ptrdiff_t>(at + 2),
            bundle.begin() + static_cast<std::ptrdiff_t>(at + 2 + size));
        CHECK(merkle::leaf_hash(entry) == digest_at(full, entries));
        REQUIRE(Entry::decode(entry));
        at += 2 + size;
        ++entries;
    }
    CHECK(entries == 256);
    for (const auto* wrong :
         {"/tlog/tile/0/001", "/tlog/tile/0/001.p/3", "/tlog/tile/0/1", "/tlog/tile/0/x000/000",
          "/tlog/tile/0/000.p/0", "/tlog/tile/0/000.p/256", "/tlog/tile/64/000",
          "/tlog/tile/00/000", "/tlog/tile/0/x999/x999/x999/x999/x999/x999/000",
          "/tlog/tile/entries/002", "/tlog/tile/"})
        CHECK(anybody.get(wrong).status == 404);
    CHECK(anybody.get("/v1/ledger/checkpoint").status == 401);
}
