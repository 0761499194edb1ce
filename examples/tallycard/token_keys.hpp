// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "keys.hpp"

// Keys that a PKCS#11 URI names. Throws ResultError.
namespace token_keys {

std::unique_ptr<tallycard::OperationSigner> open_operation_key(const std::string& uri,
                                                               keys::Secrets& secrets);
std::unique_ptr<tallycard::CardRoot> open_card_root(const std::string& uri, keys::Secrets& secrets);
tallycard::CheckpointKey open_checkpoint_key(const std::string& uri, keys::Secrets& secrets);

}  // namespace token_keys
