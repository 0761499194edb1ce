// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include <tallycard/checkpoint.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>

#include "settings.hpp"

namespace tallycard::service {

// What a service runs on. The one place that chooses stores and signers.
struct Engine {
    std::optional<CheckpointKey> checkpoint_key;
    std::unique_ptr<Platform> platform;
};

// The issuer of a folder, as 'tallycard issuer init' makes it.
Result<Engine> open_engine(const Settings& settings);

// A new issuer in `settings.folder`, all that one command can run: keys, a store, a passphrase in a
// file of its own, a certificate for loopback, and the clients "operator", "terminal-1" and
// "auditor", each with its token in a file "NAME.token". What is there already stays as it is.
struct NewIssuer {
    std::string origin;
    Currency currency;
};
Result<void> make_engine(const Settings& settings, const NewIssuer& issuer);

}  // namespace tallycard::service
