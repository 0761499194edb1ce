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

#include "options.hpp"

// The issuer's private keys, wherever they are. A key is named by a reference: a PKCS#11 URI
// (pkcs11:...), or the path of a file. The file is a sealed key, or one line that is a reference
// itself: that is how the issuer's folder names keys that are elsewhere. Throws ResultError.
namespace keys {

bool is_uri(const std::string& reference);

// What opens keys: one passphrase for all files, asked for when the first of them is opened; and a
// PIN for each key in a token, by --hsm-pin-file, --hsm-pin-fd, the URI's pin-source, or a prompt.
class Secrets {
public:
    explicit Secrets(const Options& options) : options_(options) {}
    // `confirm`: asks twice at a prompt, for a new one.
    const tallycard::Passphrase& passphrase(const std::string& what, bool confirm = false);
    tallycard::Passphrase token_pin(const std::string& pin_source) const;

private:
    const Options& options_;
    std::optional<tallycard::Passphrase> passphrase_;
};

std::unique_ptr<tallycard::OperationSigner> open_operation_key(const std::string& reference,
                                                               Secrets& secrets);
std::unique_ptr<tallycard::CardRoot> open_card_root(const std::string& reference, Secrets& secrets);
tallycard::CheckpointKey open_checkpoint_key(const std::string& reference, Secrets& secrets);

// The public part of a key.
tallycard::PublicKey public_key(tallycard::KeyRole role, const std::string& reference,
                                Secrets& secrets);

// Makes `path`, durable, the one line that names another place. A reference by path becomes
// absolute. Errc::file_exists.
void write_reference(const std::string& path, const std::string& reference);

}  // namespace keys
