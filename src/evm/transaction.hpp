// SPDX-License-Identifier: Apache-2.0
// Transactions as they go over the wire. Ours are of the oldest form, with a gas price and a chain
// id in the signature (EIP-155): every EVM chain takes it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/chain_rows.hpp>

#include "hex.hpp"

namespace tallycard::evm {

struct Transaction {
    std::uint64_t chain_id = 0, nonce = 0, gas_price = 0, gas = 0;
    std::optional<ChainAddress> to{};  // absent: creates a contract
    Bytes data{};

    friend bool operator==(const Transaction&, const Transaction&) = default;
};

// What a signer signed, read strictly (RLP); it moves no value. Says nothing about the signature,
// which the node checks. Empty where it is anything else.
std::optional<Transaction> read_transaction(std::span<const std::uint8_t> raw);

}  // namespace tallycard::evm
