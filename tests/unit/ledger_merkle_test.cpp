// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <filesystem>

#include <tallycard/merkle.hpp>

#include "issuer/base64.hpp"
#include "issuer/ledger_tree.hpp"
#include "protocol/digest.hpp"
#include "support/test_issuer.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

std::vector<std::uint8_t> from_base64(const std::string& text)
{
    std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
    while (!text.empty() && !base64::decode(text, bytes)) bytes.pop_back();
    return bytes;
}

// Some vectors have hashes of another size. As roots and leaves they stand for "another hash",
// except for no hash at all, which as a proof's element has no form here.
std::optional<Digest> hash_of(const testing::Json& text)
{
    const auto bytes = from_base64(text.get<std::string>());
    if (bytes.empty()) return std::nullopt;
    if (bytes.size() != Digest::size) return sha256(bytes);
    return Digest(std::span(bytes).first<Digest::size>());
}

std::optional<std::vector<Digest>> proof_of(const testing::Json& vector)
{
    std::vector<Digest> proof;
    if (vector.at("proof").is_null()) return proof;
    for (const auto& text : vector.at("proof")) {
        const auto hash = hash_of(text);
        if (!hash) return std::nullopt;
        proof.push_back(*hash);
    }
    return proof;
}

bool inclusion_accepted(const testing::Json& vector)
{
    const auto leaf = hash_of(vector.at("leafHash"));
    const auto root = hash_of(vector.at("root"));
    const auto proof = proof_of(vector);
    return leaf && root && proof &&
           merkle::verify_inclusion(*leaf, vector.at("leafIdx").get<std::uint64_t>(),
                                    vector.at("treeSize").get<std::uint64_t>(), *proof, *root);
}

bool consistency_accepted(const testing::Json& vector)
{
    const auto earlier = hash_of(vector.at("root1"));
    const auto later = hash_of(vector.at("root2"));
    const auto proof = proof_of(vector);
    return earlier && later && proof &&
           merkle::verify_consistency({vector.at("size1").get<std::uint64_t>(), *earlier},
                                      {vector.at("size2").get<std::uint64_t>(), *later}, *proof);
}

Digest leaf(std::uint64_t n)
{
    const std::array<std::uint8_t, 2> entry = {static_cast<std::uint8_t>(n >> 8),
                                               static_cast<std::uint8_t>(n)};
    return merkle::leaf_hash(entry);
}

// RFC 9162, 2.1.1, word by word.
Digest root_by_definition(std::uint64_t begin, std::uint64_t end)
{
    const auto n = end - begin;
    if (n == 0) return sha256({});
    if (n == 1) return leaf(begin);
    std::uint64_t k = 1;
    while (2 * k < n) k *= 2;
    return merkle::node_hash(root_by_definition(begin, begin + k),
                             root_by_definition(begin + k, end));
}

// A tree of that many leaves in a store.
class StoredTree {
public:
    explicit StoredTree(std::uint64_t size)
        : store_(TestStore(folder_.file("store")).create().value()),
          transaction_(store_->write().value()),
          tree_(*transaction_)
    {
        for (std::uint64_t i = 0; i < size; ++i) tree_.append(i, leaf(i)).value();
    }
    LedgerTree* operator->() { return &tree_; }

private:
    TemporaryFolder folder_;
    std::unique_ptr<Store> store_;
    std::unique_ptr<StoreTransaction> transaction_;
    LedgerTree tree_;
};

}  // namespace

TEST_CASE("the 196 inclusion and consistency proofs of transparency-dev/merkle")
{
    const auto folder = testing::external_vectors("merkle");
    if (!folder) {
        WARN("skipped: no external vectors");
        return;
    }
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*folder)) {
        if (entry.path().extension() != ".json") continue;
        const auto vector = testing::read_json(entry.path());
        INFO(entry.path());
        const bool accepted =
            vector.contains("leafIdx") ? inclusion_accepted(vector) : consistency_accepted(vector);
        CHECK(accepted == !vector.at("wantErr").get<bool>());
        ++count;
    }
    REQUIRE(count == 196);
}

TEST_CASE("the root is that of RFC 9162, kept as a frontier or in a store")
{
    constexpr std::uint64_t most = 70;
    StoredTree tree(most);
    merkle::Frontier frontier;
    for (std::uint64_t size = 0; size <= most; ++size) {
        REQUIRE(frontier.size() == size);
        REQUIRE(frontier.root() == root_by_definition(0, size));
        REQUIRE(tree->root(size).value() == root_by_definition(0, size));
        frontier.append(leaf(size));
    }
}

TEST_CASE("every proof of every tree verifies, and no other index, leaf, size or root with it")
{
    constexpr std::uint64_t most = 20;
    StoredTree tree(most);
    std::size_t proofs = 0;
    for (std::uint64_t size = 1; size <= most; ++size) {
        const auto root = tree->root(size).value();
        for (std::uint64_t index = 0; index < size; ++index) {
            const auto proof = tree->inclusion(index, size).value();
            REQUIRE(merkle::verify_inclusion(leaf(index), index, size, proof, root));
            REQUIRE(!merkle::verify_inclusion(leaf(index + 1), index, size, proof, root));
            REQUIRE(!merkle::verify_inclusion(leaf(index), index + 1, size, proof, root));
            REQUIRE(!merkle::verify_inclusion(leaf(index), index, size, proof, leaf(77)));
            ++proofs;
        }
        for (std::uint64_t earlier = 1; earlier <= size; ++earlier) {
            const merkle::Head before{earlier, tree->root(earlier).value()};
            const auto proof = tree->consistency(earlier, size).value();
            REQUIRE(merkle::verify_consistency(before, {size, root}, proof));
            REQUIRE(!merkle::verify_consistency({earlier, leaf(7)}, {size, root}, proof));
            REQUIRE(!merkle::verify_consistency(before, {size, leaf(7)}, proof));
            auto longer = proof;
            longer.push_back(root);
            REQUIRE(!merkle::verify_consistency(before, {size, root}, longer));
            ++proofs;
        }
    }
    REQUIRE(proofs == 420);
}
