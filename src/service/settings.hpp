// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/result.hpp>

#include "chain_settings.hpp"
#include "https_server.hpp"
#include "tls.hpp"

namespace tallycard::service {

// Whose cosignatures its checkpoints get.
struct WitnessSettings {
    std::string policy_file;  // C2SP tlog-policy; empty: nobody's
    std::string authority;    // who vouches for the witnesses' certificates, PEM; empty: the system
    std::string cosigned_file;              // the newest that reached the policy
    std::chrono::milliseconds every{1000};  // looks for a new checkpoint so often
};

// What the service does for whom.
struct ServiceSettings {
    ServerSettings server;
    tls::Files tls;
    std::string clients_file;
    std::string usage_file;  // what clients moved today; empty: kept in memory
    std::size_t settle_queue = 1024;
    unsigned checkpoint_seconds = 1;  // a new one at most this often
    WitnessSettings witnesses;
    std::chrono::milliseconds gaps_every{std::chrono::hours(1)};  // makes those whose time has come
    bool ledger_public = false;                                   // /tlog for everybody
    bool metrics_public = false;
    bool log_requests = false;  // all; else those that were refused
    std::vector<ChainSettings> chains;
};

// The configuration file of tallycard-issuerd: docs/service.md.
struct Settings {
    std::string folder = "issuer";  // as 'tallycard issuer init' makes it
    std::string store;              // as open_store() takes it
    // References as keyring.hpp has them; empty: what is in the folder.
    std::vector<std::string> operation_keys;
    std::string checkpoint_key;
    std::string passphrase_file;
    std::string hsm_pin_file;                      // empty: the pin-source of the key's URI
    unsigned quarantine_days = 30, gap_days = 30;  // as PlatformSettings has them
    ServiceSettings service;
};

// Where `folder` is not given, as Settings has it; what is not named lies in it.
// Errc::file_malformed at the line.
Result<Settings> parse_settings(std::string_view text);
// What a folder alone means.
Settings settings_of_folder(const std::string& folder);

}  // namespace tallycard::service
