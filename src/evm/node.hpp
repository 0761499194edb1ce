// SPDX-License-Identifier: Apache-2.0
// What we ask of a chain's node, and of who signs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/chain_rows.hpp>
#include <tallycard/result.hpp>

#include "rpc.hpp"
#include "transaction.hpp"

namespace tallycard::evm {

// A block by its number, or the newest one that the node has.
using Block = std::optional<std::uint64_t>;
inline constexpr Block newest = std::nullopt;

struct Log {
    ChainAddress address;
    std::vector<Digest> topics;
    Bytes data;
};

// What became of a transaction that a block has.
struct TransactionReceipt {
    bool success = false;
    std::uint64_t block = 0;
    std::optional<ChainAddress> created;  // the contract that it made
    std::vector<Log> logs;
};

struct SignedTransaction {
    Bytes raw;
    Digest hash;
};

enum class Sending : std::uint8_t {
    taken,  // the node has it: now, or before already
    stale,  // its nonce is used: by itself, or by another
};

// Errors are those of Rpc::call(). Not thread-safe; both must outlive it.
class Node {
public:
    // `signer`: who has the account's key; the node itself, or another.
    Node(Rpc& rpc, Rpc& signer) : rpc_(&rpc), signer_(&signer) {}

    Result<std::uint64_t> chain_id();
    Result<std::uint64_t> newest_block();
    Result<std::uint64_t> finalized_block();
    Result<std::uint64_t> block_gas_limit();  // of the newest block
    Result<Bytes> code(const ChainAddress& at);
    Result<Bytes> call(const ChainAddress& contract, const Bytes& data, Block block);
    // How many transactions of an account blocks up to this one have.
    Result<std::uint64_t> nonce(const ChainAddress& account, Block block);
    // The first nonce that is free, transactions that wait in the node counted in.
    Result<std::uint64_t> next_nonce(const ChainAddress& account);
    Result<std::uint64_t> gas_price();
    Result<std::uint64_t> estimate_gas(const ChainAddress& from, const Transaction& transaction);
    // Signed as it was asked for, and not sent. Errc::chain_refused where it is anything else.
    Result<SignedTransaction> sign(const ChainAddress& from, const Transaction& transaction);
    Result<Sending> send(const Bytes& raw);
    Result<bool> knows(const Digest& hash);
    Result<std::optional<TransactionReceipt>> receipt(const Digest& hash);
    // Of one contract and one event, in these blocks.
    Result<std::vector<Log>> logs(const ChainAddress& contract, const Digest& topic,
                                  std::uint64_t from, std::uint64_t to);

    // What the node, or the signer, said when it refused last.
    std::string said() const { return rpc_->said().empty() ? signer_->said() : rpc_->said(); }

private:
    Result<std::uint64_t> number(const char* method, Json parameters);
    Result<std::uint64_t> of_block(const char* block, const char* field);
    Result<Bytes> bytes(const char* method, Json parameters);
    Rpc* rpc_;
    Rpc* signer_;
};

}  // namespace tallycard::evm
