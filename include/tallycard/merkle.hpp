// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>

// The Merkle tree of RFC 9162, section 2.1, over SHA-256. Pure functions; thread-safe.
namespace tallycard::merkle {

TALLYCARD_EXPORT Digest leaf_hash(std::span<const std::uint8_t> entry);
TALLYCARD_EXPORT Digest node_hash(const Digest& left, const Digest& right);

// A tree that only grows, as its size and the roots of its complete subtrees, largest first: at
// most 64 digests, whatever its size. A value type.
class TALLYCARD_EXPORT Frontier {
public:
    void append(const Digest& leaf);
    std::uint64_t size() const { return size_; }
    Digest root() const;  // of the empty tree: SHA-256 of nothing

private:
    std::vector<Digest> peaks_;
    std::uint64_t size_ = 0;
};

// Whether `leaf` is entry number `index` of the tree with this size and root.
TALLYCARD_EXPORT bool verify_inclusion(const Digest& leaf, std::uint64_t index,
                                       std::uint64_t tree_size, std::span<const Digest> proof,
                                       const Digest& root);

// A tree at one moment.
struct Head {
    std::uint64_t size = 0;
    Digest root;
    friend bool operator==(const Head&, const Head&) = default;
};

// Whether the entries of `earlier`, which has some, are the first ones of `later`.
TALLYCARD_EXPORT bool verify_consistency(const Head& earlier, const Head& later,
                                         std::span<const Digest> proof);

}  // namespace tallycard::merkle
