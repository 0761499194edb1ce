// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <tallycard/passphrase.hpp>
#include <tallycard/pin.hpp>

// Secrets typed at a prompt without echo, or read from a descriptor or a file: the first line of
// it. Never from argv or the environment. What was read is erased.
namespace secret_input {

tallycard::Result<tallycard::PinBlock> pin(const std::string& prompt,
                                           std::optional<int> descriptor);

// Asked for twice at a prompt.
tallycard::Result<tallycard::PinBlock> new_pin(const std::string& prompt,
                                               std::optional<int> descriptor);

struct PassphraseSource {
    std::string file;
    std::optional<int> descriptor;
};
// `confirm`: asks twice at a prompt, for a new one.
tallycard::Result<tallycard::Passphrase> passphrase(const std::string& prompt,
                                                    const PassphraseSource& source,
                                                    bool confirm = false);
// The PIN of a key's token.
tallycard::Result<tallycard::Passphrase> token_pin(const std::string& prompt,
                                                   const PassphraseSource& source);

}  // namespace secret_input
