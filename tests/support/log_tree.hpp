// SPDX-License-Identifier: Apache-2.0
// Somebody's log, as a witness sees it: checkpoints and consistency proofs, made as RFC 6962
// defines them and not as our own tree does.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <tallycard/checkpoint.hpp>
#include <tallycard/merkle.hpp>
#include <tallycard/note_key.hpp>

#include "issuer/add_checkpoint.hpp"
#include "protocol/digest.hpp"

namespace tallycard::test {

class LogTree {
public:
    // All logs have one key. With other words they have other entries, from number `common` on.
    LogTree(std::string origin, std::size_t size, const std::string& word, std::size_t common = 0)
        : origin_(std::move(origin)), signer_(key_seed())
    {
        for (std::size_t i = 0; i < size; ++i) {
            const auto entry = (i < common ? "common" : word) + std::to_string(i);
            leaves_.push_back(merkle::leaf_hash(
                {reinterpret_cast<const std::uint8_t*>(entry.data()), entry.size()}));
        }
    }

    const CheckpointKey& signer() const { return signer_; }
    NoteKey key() const
    {
        return {.name = origin_, .type = NoteKeyType::log, .key = signer_.public_key()};
    }
    merkle::Head head(std::size_t size) const { return {.size = size, .root = root(0, size)}; }
    std::string note(std::size_t size) const
    {
        return Checkpoint{origin_, head(size)}.sign(signer_).value();
    }
    std::string request(std::size_t from, std::size_t to) const
    {
        return request(from, to, note(to));
    }
    std::string request(std::size_t from, std::size_t to, std::string_view note) const
    {
        AddCheckpoint made{.old_size = from, .proof = {}, .note = note};
        if (from > 0 && from < to) made.proof = proof(from, 0, to, true);
        return made.to_text();
    }

private:
    static KeySeed key_seed()
    {
        std::array<std::uint8_t, KeySeed::size> bytes;
        bytes.fill(0x51);
        return KeySeed(bytes);
    }
    static std::size_t middle(std::size_t n)
    {
        std::size_t k = 1;
        while (2 * k < n) k *= 2;
        return k;
    }
    Digest root(std::size_t begin, std::size_t end) const
    {
        const auto n = end - begin;
        if (n == 0) return sha256({});
        if (n == 1) return leaves_.at(begin);
        const auto k = begin + middle(n);
        return merkle::node_hash(root(begin, k), root(k, end));
    }
    // SUBPROOF(m, D[begin:end], whole) of RFC 6962, 2.1.2.
    std::vector<Digest> proof(std::size_t m, std::size_t begin, std::size_t end, bool whole) const
    {
        const auto n = end - begin;
        if (m == n) return whole ? std::vector<Digest>() : std::vector{root(begin, end)};
        const auto k = middle(n);
        auto path =
            m <= k ? proof(m, begin, begin + k, whole) : proof(m - k, begin + k, end, false);
        path.push_back(m <= k ? root(begin + k, end) : root(begin, begin + k));
        return path;
    }

    std::string origin_;
    CheckpointKey signer_;
    std::vector<Digest> leaves_;
};

}  // namespace tallycard::test
