// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <tallycard/result.hpp>

#include "../evm/feeder.hpp"
#include "../evm/rpc.hpp"
#include "ini.hpp"

namespace tallycard::service {

// A chain that the ledger is written to: a section [chain NAME] of the configuration.
struct ChainSettings {
    std::string name;
    evm::NodeSettings node;
    std::string signer_url;  // who has the account's key; empty: the node
    evm::FeederSettings feeder;
    unsigned poll_seconds = 4;
};

// Errc::file_malformed at the line.
Result<ChainSettings> read_chain(const ini::Section& section);

}  // namespace tallycard::service
