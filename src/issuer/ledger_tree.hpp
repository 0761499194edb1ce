// SPDX-License-Identifier: Apache-2.0
// The Merkle tree over the records of a store, kept as the hashes of its complete subtrees: an
// entry costs two rows on average, a root or a proof as many as the tree is high.
#pragma once

#include <cstdint>
#include <vector>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

class LedgerTree {
public:
    explicit LedgerTree(StoreTransaction& transaction) : store_(&transaction) {}

    // `index` is the size of the tree before.
    Result<void> append(std::uint64_t index, const Digest& leaf);
    // Of the tree with the first `size` entries.
    Result<Digest> root(std::uint64_t size) { return hash({0, size}); }
    Result<std::vector<Digest>> inclusion(std::uint64_t index, std::uint64_t size);
    // Requires 0 < earlier <= size.
    Result<std::vector<Digest>> consistency(std::uint64_t earlier, std::uint64_t size);

private:
    // Entries from `begin` up to `end`.
    struct Range {
        std::uint64_t begin, end;
        std::uint64_t size() const { return end - begin; }
        std::uint64_t middle() const;  // where RFC 9162 cuts it in two
    };
    Result<Digest> hash(Range range);
    StoreTransaction* store_;
};

}  // namespace tallycard
