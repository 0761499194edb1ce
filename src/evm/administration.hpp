// SPDX-License-Identifier: Apache-2.0
// What is done to a contract by hand: making it, and saying who may write.
#pragma once

#include <chrono>
#include <optional>

#include "node.hpp"

namespace tallycard::evm {

struct AdministrationSettings {
    std::uint64_t chain_id = 0;
    ChainAddress account;                            // that signs and pays, and owns the contract
    std::uint64_t most_gas_price = 500'000'000'000;  // in wei
    std::chrono::seconds wait{120};                  // for a block to have it
};

// A transaction that was sent, and what became of it in time.
struct Sent {
    Digest hash;
    std::optional<TransactionReceipt> receipt;  // absent: no block has it yet
};

// Errc::chain_foreign for another chain id; Errc::chain_refused where it would fail: it is not
// sent then. Errors of the node after it was sent are none: the receipt is absent.
Result<Sent> send_and_wait(Node& node, const AdministrationSettings& settings,
                           const std::optional<ChainAddress>& to, Bytes content);

}  // namespace tallycard::evm
