// SPDX-License-Identifier: Apache-2.0
// The ledger on a chain, for commands: 'chain …', and 'ledger verify --chain'.
#pragma once

#include <memory>

#include <tallycard/ledger_verifier.hpp>

#include "commands.hpp"
#include "evm/contract.hpp"

namespace chain {

// The node that --chain names, and who signs. Throws ResultError, as all of the tool.
class Connection {
public:
    explicit Connection(const Options& options);
    tallycard::evm::Node& node() { return node_; }
    // What --chain-id says, or else what the node does.
    std::uint64_t chain_id() const { return chain_id_; }

private:
    std::unique_ptr<tallycard::evm::Transport> transport_, signer_;
    tallycard::evm::Rpc rpc_, signer_rpc_;
    tallycard::evm::Node node_;
    std::uint64_t chain_id_ = 0;
};

// --chain and what belongs to it.
void declare(CLI::App& command, Options& options);

// Holds the ledger in a file that was found right against the contract, and adds what came of it.
void verify(const Options& options, const tallycard::PublicKey& issuer, const std::string& file,
            const tallycard::LedgerReport& ledger, Report& report);

}  // namespace chain

void add_chain_commands(Program& program);
