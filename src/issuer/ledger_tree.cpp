// SPDX-License-Identifier: Apache-2.0
#include "ledger_tree.hpp"

#include <algorithm>
#include <bit>

#include <tallycard/merkle.hpp>

#include "../protocol/digest.hpp"

namespace tallycard {

Result<void> LedgerTree::append(std::uint64_t index, const Digest& leaf)
{
    auto hash = leaf;
    if (const auto put = store_->put_node(0, index, hash); !put) return put;
    unsigned level = 0;
    for (; (index & 1) != 0; index >>= 1) {
        const auto left = store_->node(level, index - 1);
        if (!left) return left.error();
        hash = merkle::node_hash(*left, hash);
        if (const auto put = store_->put_node(++level, index >> 1, hash); !put) return put;
    }
    return {};
}

std::uint64_t LedgerTree::Range::middle() const
{
    return begin + std::bit_floor(size() - 1);
}

// Goes down on the right side only: whatever is left of a cut is complete and stored.
Result<Digest> LedgerTree::hash(Range range)
{
    if (range.size() == 0) return sha256({});
    std::vector<Digest> left;
    while (!std::has_single_bit(range.size())) {
        const auto middle = range.middle();
        const auto complete = hash({range.begin, middle});
        if (!complete) return complete;
        left.push_back(*complete);
        range.begin = middle;
    }
    const auto level = static_cast<unsigned>(std::countr_zero(range.size()));
    auto whole = store_->node(level, range.begin >> level);
    for (; whole && !left.empty(); left.pop_back()) whole = merkle::node_hash(left.back(), *whole);
    return whole;
}

Result<std::vector<Digest>> LedgerTree::inclusion(std::uint64_t index, std::uint64_t size)
{
    std::vector<Digest> path;
    Range range{0, size};
    while (range.size() > 1) {
        const auto middle = range.middle();
        const bool in_left = index < middle;
        const auto sibling = hash(in_left ? Range{middle, range.end} : Range{range.begin, middle});
        if (!sibling) return sibling.error();
        path.push_back(*sibling);
        range = in_left ? Range{range.begin, middle} : Range{middle, range.end};
    }
    std::ranges::reverse(path);
    return path;
}

// RFC 9162, 2.1.4.1. The earlier tree's own last complete subtree opens the proof, unless it is
// that whole tree, which the verifier has.
Result<std::vector<Digest>> LedgerTree::consistency(std::uint64_t earlier, std::uint64_t size)
{
    std::vector<Digest> path;
    if (earlier == size) return path;
    Range range{0, size};
    while (range.end != earlier) {
        const auto middle = range.middle();
        const bool in_left = earlier <= middle;
        const auto sibling = hash(in_left ? Range{middle, range.end} : Range{range.begin, middle});
        if (!sibling) return sibling.error();
        path.push_back(*sibling);
        range = in_left ? Range{range.begin, middle} : Range{middle, range.end};
    }
    if (range.begin != 0) {
        const auto own = hash(range);
        if (!own) return own.error();
        path.push_back(*own);
    }
    std::ranges::reverse(path);
    return path;
}

}  // namespace tallycard
