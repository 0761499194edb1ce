// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <tallycard/chain_rows.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

#include "abi.hpp"
#include "node.hpp"

namespace tallycard::evm {

// TallycardLedger.sol at an address. Errors are those of Node, and Errc::chain_failed where the
// contract answers what it should not. Not thread-safe; the node must outlive it.
class Contract {
public:
    Contract(Node& node, ChainName name) : node_(&node), name_(name) {}
    const ChainName& name() const { return name_; }

    // Errc::chain_foreign where the node is on another chain, there is other code at the address or
    // none, or it is another issuer's.
    Result<void> check(const PublicKey& issuer);
    // Absent where the contract was not there yet.
    Result<std::optional<ContractHead>> head(Block block);
    Result<std::vector<Digest>> leaves(std::uint64_t first, std::uint64_t count, Block block);
    Result<bool> is_writer(const ChainAddress& account);

private:
    Result<Bytes> ask(const Bytes& call, Block block)
    {
        return node_->call(name_.contract, call, block);
    }
    Node* node_;
    ChainName name_;
};

}  // namespace tallycard::evm
