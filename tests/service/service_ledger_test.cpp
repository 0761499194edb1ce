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
        CHECK(proof["record"]["object"] == entries[2]["object"]);
        std::vector<std::uint8_t> bytes(proof["record"]["object"].get<std::string>().size() / 2);
        REQUIRE(detail::from_hex(proof["record"]["object"].get<std::string>(), bytes));
        CHECK(merkle::verify_inclusion(merkle::leaf_hash(bytes), 4, 9, path_of(proof["path"]),
                                       later.root));
    }
    CHECK(client.get("/v1/ledger/proofs/inclusion?index=9").code() == "unknown_operation");
    CHECK(client.get("/v1/ledger/proofs/inclusion").status == 400);
    CHECK(client.get("/v1/ledger/proofs/consistency?from=0").status == 404);
    CHECK(client.get("/v1/evidence").body["evidence"].empty());
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
        REQUIRE(Record::decode(entry));
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
