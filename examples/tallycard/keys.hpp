// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/checkpoint.hpp>
#include <tallycard/key_file.hpp>
#include <tallycard/passphrase.hpp>
#include <tallycard/signer.hpp>

#include "keyring/keyring.hpp"
#include "options.hpp"

// keyring.hpp, with secrets from the command line's options or a prompt. Throws ResultError.
namespace keys {

using tallycard::keyring::is_uri;

// One passphrase for all files, asked for when the first of them is opened; and a PIN for each key
// in a token, by --hsm-pin-file, --hsm-pin-fd, the URI's pin-source, or a prompt.
class Secrets final : public tallycard::keyring::Secrets {
public:
    explicit Secrets(const Options& options) : options_(options) {}
    // A new one: asks twice at a prompt.
    const tallycard::Passphrase& new_passphrase(const std::string& what);

    tallycard::Result<const tallycard::Passphrase*> passphrase(const std::string& what) override;
    tallycard::Result<tallycard::Passphrase> token_pin(const std::string& pin_source) override;

private:
    tallycard::Result<const tallycard::Passphrase*> ask(const std::string& what, bool confirm);
    const Options& options_;
    std::optional<tallycard::Passphrase> passphrase_;
};

std::unique_ptr<tallycard::OperationSigner> open_operation_key(const std::string& reference,
                                                               Secrets& secrets);
std::unique_ptr<tallycard::CardRoot> open_card_root(const std::string& reference, Secrets& secrets);
std::unique_ptr<tallycard::AccountSigner> open_account_key(const std::string& reference,
                                                           Secrets& secrets);
tallycard::CheckpointKey open_checkpoint_key(const std::string& reference, Secrets& secrets);

// The public part of a key.
tallycard::PublicKey public_key(tallycard::KeyRole role, const std::string& reference,
                                Secrets& secrets);

// Makes `path`, durable, the one line that names another place. A reference by path becomes
// absolute. Errc::file_exists.
void write_reference(const std::string& path, const std::string& reference);

}  // namespace keys
