// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>

#include <tallycard/merkle.hpp>

#include "../protocol/digest.hpp"

namespace tallycard::merkle {
namespace {

// Climbs from `index` in the tree with `last` + 1 nodes on its level, taking what stands beside
// from `proof`, as RFC 9162, 2.1.3.2 and 2.1.4.2, both have it. `joined` is called with each
// sibling and whether it stands to the left. False when the proof is too long or too short.
template <class Joined>
bool climb(std::uint64_t index, std::uint64_t last, std::span<const Digest> proof, Joined&& joined)
{
    for (const auto& sibling : proof) {
        if (last == 0) return false;
        const bool left = (index & 1) != 0 || index == last;
        joined(sibling, left);
        if (left) {
            // A last node without a sibling rises until it has one to its left. The index is not
            // zero here: it is odd, or the last one, which is not.
            const int skip = std::countr_zero(index);
            index >>= skip;
            last >>= skip;
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0;
}

}  // namespace

Digest leaf_hash(std::span<const std::uint8_t> entry)
{
    std::vector<std::uint8_t> message(1 + entry.size());
    std::ranges::copy(entry, message.begin() + 1);
    return sha256(message);
}

Digest node_hash(const Digest& left, const Digest& right)
{
    std::array<std::uint8_t, 1 + 2 * Digest::size> message{1};
    std::ranges::copy(left.bytes(), message.begin() + 1);
    std::ranges::copy(right.bytes(), message.begin() + 1 + Digest::size);
    return sha256(message);
}

void Frontier::append(const Digest& leaf)
{
    auto hash = leaf;
    for (auto n = size_; (n & 1) != 0; n >>= 1) {
        hash = node_hash(peaks_.back(), hash);
        peaks_.pop_back();
    }
    peaks_.push_back(hash);
    ++size_;
}

Digest Frontier::root() const
{
    if (peaks_.empty()) return sha256({});
    auto hash = peaks_.back();
    for (auto i = peaks_.size() - 1; i > 0; --i) hash = node_hash(peaks_[i - 1], hash);
    return hash;
}

bool verify_inclusion(const Digest& leaf, std::uint64_t index, std::uint64_t tree_size,
                      std::span<const Digest> proof, const Digest& root)
{
    if (index >= tree_size) return false;
    auto hash = leaf;
    const bool whole = climb(index, tree_size - 1, proof, [&](const Digest& sibling, bool left) {
        hash = left ? node_hash(sibling, hash) : node_hash(hash, sibling);
    });
    return whole && hash == root;
}

bool verify_consistency(const Head& earlier, const Head& later, std::span<const Digest> proof)
{
    if (earlier.size == 0 || earlier.size > later.size) return false;
    if (earlier.size == later.size) return proof.empty() && earlier.root == later.root;

    // The largest complete subtree that ends where the earlier tree ends: given, or the whole of
    // it.
    const int level = std::countr_zero(earlier.size);
    const bool power = std::has_single_bit(earlier.size);
    if (!power && proof.empty()) return false;
    auto old_hash = power ? earlier.root : proof.front();
    auto new_hash = old_hash;
    if (!power) proof = proof.subspan(1);

    const auto index = (earlier.size - 1) >> level;
    const auto last = (later.size - 1) >> level;
    const bool whole = climb(index, last, proof, [&](const Digest& sibling, bool left) {
        if (left) old_hash = node_hash(sibling, old_hash);
        new_hash = left ? node_hash(sibling, new_hash) : node_hash(new_hash, sibling);
    });
    return whole && old_hash == earlier.root && new_hash == later.root;
}

}  // namespace tallycard::merkle
