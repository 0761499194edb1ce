// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include <tallycard/fixed_bytes.hpp>

// What a Store holds of the ledger on chains (docs/chain.md). Value types.
namespace tallycard {

// A contract on a chain that the ledger is written to (docs/chain.md).
struct ChainName {
    std::uint64_t chain_id = 0;  // above zero, below 2^63
    ChainAddress contract;
    friend auto operator<=>(const ChainName&, const ChainName&) = default;
};

// How far it has come: of the entries below `final_entries`, the chain will not lose anything.
struct ChainRow {
    ChainName name;
    std::uint64_t final_entries = 0;
};

enum class OutboxKind : std::uint8_t { record = 1, anchor = 2 };
enum class OutboxState : std::uint8_t {
    sent = 1,  // for the node to have; sent again until a block has it
    included,  // in a block
    failed,    // in a block, where it did not do its work
};

// A transaction that is under way to a chain, for the entries from number `first` on.
struct OutboxRow {
    std::uint64_t nonce = 0;  // of the account that signed it
    OutboxKind kind{};
    OutboxState state{};
    std::uint64_t first = 0, entries = 0;
    std::uint64_t block = 0;  // the number of the block that has it; 0: none
    Digest hash;              // by which the chain knows it
    std::vector<std::uint8_t> raw;
    friend bool operator==(const OutboxRow&, const OutboxRow&) = default;
};

// A chain as the store has it; one that it never heard of has come nowhere.
struct ChainStanding {
    std::uint64_t final_entries = 0;
    std::vector<OutboxRow> outbox;
};

// One durable change of it.
struct ChainChange {
    std::optional<OutboxRow> sent{};  // under a nonce that is free, where no other one is `sent`
    std::vector<OutboxRow> changed{};
    std::vector<std::uint64_t> dropped{};
    std::optional<std::uint64_t> final_entries{};
};

}  // namespace tallycard
