// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <tallycard/ledger_verifier.hpp>

#include "contract.hpp"

namespace tallycard::evm {

// What a contract has of a ledger. The numbers count what was checked before it stopped.
struct ChainReport {
    std::uint64_t block = 0;           // as of which
    std::uint64_t leaves = 0;          // entries by their leaves
    std::uint64_t bodies = 0;          // entries in full
    std::uint64_t anchors = 0;         // roots of the tree, of which the newest has
    std::uint64_t anchored = 0;        // so many entries
    std::optional<std::string> fault;  // absent: all that the contract has is the ledger's
};

// Holds an exported ledger that verify_ledger() found right, `report`, and a contract against each
// other: every leaf, every root that it ever had, and every entry in its events, whose signatures
// verify_ledger() has checked. `from_block`: no event of the contract is older.
//
// An Error where the node or the file cannot be read; Errc::chain_foreign as Contract::check().
Result<ChainReport> verify_chain(Node& node, Contract& contract, const PublicKey& issuer,
                                 const std::string& path, const LedgerReport& report,
                                 std::uint64_t from_block);

}  // namespace tallycard::evm
