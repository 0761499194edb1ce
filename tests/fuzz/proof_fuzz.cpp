// SPDX-License-Identifier: Apache-2.0
// Inclusion and consistency proofs. Those that RFC 9162 makes verify; with anything changed they do
// not; and proofs about trees of any size that are made of any hashes do not.
#include <algorithm>

#include <tallycard/merkle.hpp>

#include "fuzz.hpp"
#include "input.hpp"

using namespace tallycard;
using fuzz::Input;

namespace {

constexpr std::uint64_t most_leaves = 70;
using Proof = std::vector<Digest>;

Digest leaf(std::uint64_t n)
{
    const auto byte = static_cast<std::uint8_t>(n);
    return merkle::leaf_hash({&byte, 1});
}

std::uint64_t split(std::uint64_t size)
{
    std::uint64_t k = 1;
    while (2 * k < size) k *= 2;
    return k;
}

// RFC 9162, 2.1.1, 2.1.3.1 and 2.1.4.1, word by word.
Digest root(std::uint64_t begin, std::uint64_t end)
{
    if (end - begin == 1) return leaf(begin);
    const auto middle = begin + split(end - begin);
    return merkle::node_hash(root(begin, middle), root(middle, end));
}
Proof path(std::uint64_t index, std::uint64_t begin, std::uint64_t end)
{
    if (end - begin == 1) return {};
    const auto middle = begin + split(end - begin);
    auto proof = index < middle ? path(index, begin, middle) : path(index, middle, end);
    proof.push_back(index < middle ? root(middle, end) : root(begin, middle));
    return proof;
}
Proof subproof(std::uint64_t size, std::uint64_t begin, std::uint64_t end, bool whole)
{
    if (begin + size == end) return whole ? Proof() : Proof{root(begin, end)};
    const auto k = split(end - begin);
    const auto middle = begin + k;
    auto proof =
        size <= k ? subproof(size, begin, middle, whole) : subproof(size - k, middle, end, false);
    proof.push_back(size <= k ? root(middle, end) : root(begin, middle));
    return proof;
}

Digest digest(Input& input)
{
    std::array<std::uint8_t, Digest::size> bytes{};
    bytes[0] = input.byte();
    return Digest(bytes);
}

// Whether anything is another than it was.
bool change(Proof& proof, Input& input)
{
    const auto before = proof;
    const auto at = proof.empty() ? 0 : input.below(proof.size());
    switch (input.below(4)) {
    case 0: proof.push_back(digest(input)); break;
    case 1:
        if (!proof.empty()) proof.pop_back();
        break;
    case 2:
        if (!proof.empty()) proof[at] = digest(input);
        break;
    default:
        if (!proof.empty()) std::swap(proof[at], proof.front());
    }
    return proof != before;
}

void inclusion(Input& input)
{
    const auto size = 1 + std::uint64_t{input.byte()} % most_leaves;
    auto index = std::uint64_t{input.byte()} % size;
    auto proof = path(index, 0, size);
    const auto head = root(0, size);
    FUZZ_CHECK(merkle::verify_inclusion(leaf(index), index, size, proof, head));
    const auto entry = leaf(index);
    if (input.one_in(2)) {
        const auto other = input.number(8);
        FUZZ_CHECK(other == index || !merkle::verify_inclusion(entry, other, size, proof, head));
    } else if (change(proof, input)) {
        FUZZ_CHECK(!merkle::verify_inclusion(entry, index, size, proof, head));
    }
}

void consistency(Input& input)
{
    const auto later = 1 + std::uint64_t{input.byte()} % most_leaves;
    const auto earlier = 1 + std::uint64_t{input.byte()} % later;
    auto proof = subproof(earlier, 0, later, true);
    const merkle::Head before{earlier, root(0, earlier)}, after{later, root(0, later)};
    FUZZ_CHECK(merkle::verify_consistency(before, after, proof));
    FUZZ_CHECK(earlier == later || !merkle::verify_consistency(after, before, proof));
    const merkle::Head lie{earlier, digest(input)};
    FUZZ_CHECK(lie == before || !merkle::verify_consistency(lie, after, proof));
    if (change(proof, input)) FUZZ_CHECK(!merkle::verify_consistency(before, after, proof));
}

// Sizes up to 2^64, and hashes out of the air.
void anything(Input& input)
{
    const auto a = input.number(8), b = input.number(8);
    Proof proof;
    for (auto left = input.below(70); left > 0; --left) proof.push_back(digest(input));
    const auto one = digest(input), other = digest(input);
    FUZZ_CHECK(!merkle::verify_inclusion(one, a, b, proof, other) ||
               (a == 0 && b == 1 && proof.empty() && one == other));
    FUZZ_CHECK(!merkle::verify_consistency({a, one}, {b, other}, proof) ||
               (a == b && a > 0 && proof.empty() && one == other));
}

void frontier(Input& input)
{
    const auto size = std::uint64_t{input.byte()} % most_leaves;
    merkle::Frontier tree;
    for (std::uint64_t i = 0; i < size; ++i) tree.append(leaf(i));
    FUZZ_CHECK(tree.size() == size && (size == 0 || tree.root() == root(0, size)));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    switch (input.below(4)) {
    case 0: inclusion(input); break;
    case 1: consistency(input); break;
    case 2: anything(input); break;
    default: frontier(input);
    }
    return 0;
}
