// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <tallycard/platform.hpp>

#include "contract.hpp"

namespace tallycard::evm {

enum class ChainMode : std::uint8_t {
    full,        // every entry, in the clear, and its leaf
    hash,        // every entry's leaf
    checkpoint,  // the root of the tree, from time to time
};

struct FeederSettings {
    ChainName name;
    ChainAddress account;  // that signs and pays
    ChainMode mode = ChainMode::hash;
    std::uint64_t every_entries = 1000;  // a checkpoint after that many,
    std::chrono::seconds every{3600};    // or that long after the first that has none
    std::optional<std::uint64_t> depth;  // final: this many blocks behind the newest one;
                                         // absent: what the node calls finalized
    std::uint64_t batch = 32;            // entries in one transaction, at most
    std::uint64_t most_gas = 8'000'000;  // of one transaction
    std::uint64_t most_gas_price = 500'000'000'000;  // in wei
};

// Where the ledger on a chain stands.
struct FeederReport {
    std::uint64_t entries = 0;        // of the ledger
    std::uint64_t final_entries = 0;  // the chain has, for good
    std::uint64_t in_blocks = 0;      // the chain has, as of now
    std::size_t under_way = 0;        // transactions
};

// What happened, for the log: "sent", "included", "failed", "vanished", "replaced", "final".
struct FeederEvent {
    const char* what;
    std::uint64_t nonce, first, entries;
};

// Writes a platform's ledger to a contract, one transaction after the other:
//
//                   stored with nonce and bytes, then sent           status 1 and the event
//     entries ──────────────────────────────────────────> sent ──────────────────────> included
//        ^                                                 ^  │ │                        │    │
//        │   the contract does not have them               │  │ └──── status 0, or ──> failed │
//        ├─────────────────────────────────────────────────┼──┼─────── no event       │  │    │
//        │                                                 └──┼───── the receipt vanishes  ───┤
//        │   the nonce is used by another, for good           │                               │
//        └────────────────────────────────────────────────────┘        its block is final     v
//                                                                                            done
//
// `sent` is what the node is to have: asked for, and given again, as the same bytes, until a block
// has it. Nothing new is signed while one is. What is final is read back from the contract as of
// the newest final block, leaf by leaf, and from nothing else.
//
// Only step() does anything, and what breaks it at any point leaves all as it is for the next one.
// Not thread-safe; platform and node must outlive it.
class Feeder {
public:
    Feeder(
        Platform& platform, Node& node, const FeederSettings& settings,
        std::function<void(const FeederEvent&)> tell = [](const FeederEvent&) {})
        : platform_(&platform),
          node_(&node),
          contract_(node, settings.name),
          settings_(settings),
          tell_(std::move(tell))
    {
    }

    // Looks where everything stands, and does what is next. Errc::chain_…; Errc::ledger_behind
    // where the chain has more than the store: an old copy? Errors of the store.
    Result<FeederReport> step();

private:
    using FinalBlock = std::optional<std::uint64_t>;  // absent: none is yet

    Result<FeederReport> try_step();
    Result<FinalBlock> final_block();
    Result<void> follow(ChainStanding& standing, FinalBlock final);
    Result<bool> follow_one(OutboxRow& row, FinalBlock final);
    Result<bool> send_again(const OutboxRow& row, FinalBlock final);
    bool did_its_work(const OutboxRow& row, const TransactionReceipt& receipt) const;
    Result<void> confirm(ChainStanding& standing, std::uint64_t final);
    Result<void> check_not_lost(std::uint64_t entries);
    Result<std::uint64_t> confirmed_entries(std::uint64_t from, std::uint64_t length,
                                            std::uint64_t block);
    Result<std::uint64_t> confirmed_anchor(const merkle::Head& anchor);

    Result<FeederReport> go_on(const ChainStanding& standing);
    bool is_due(std::uint64_t waiting);
    Result<Bytes> content(const ContractHead& head, std::uint64_t entries);
    Result<Bytes> record_call(std::uint64_t first, std::uint64_t entries);
    Result<Transaction> priced(const ContractHead& head, std::uint64_t& entries);
    Result<void> sign_and_send(const ContractHead& head, const ChainStanding& standing,
                               std::uint64_t size);
    std::uint64_t come_to(const ContractHead& head) const
    {
        return settings_.mode == ChainMode::checkpoint ? head.anchor.size : head.length;
    }
    void tell(const char* what, const OutboxRow& row) const
    {
        tell_({.what = what, .nonce = row.nonce, .first = row.first, .entries = row.entries});
    }

    Platform* platform_;
    Node* node_;
    Contract contract_;
    FeederSettings settings_;
    std::function<void(const FeederEvent&)> tell_;
    bool checked_ = false;   // the contract is ours; asked again after every failure
    unsigned failures_ = 0;  // of transactions, one after the other
    std::optional<std::chrono::steady_clock::time_point> waiting_since_;  // for a checkpoint
};

}  // namespace tallycard::evm
