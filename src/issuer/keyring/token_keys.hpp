// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "keyring.hpp"

// Keys that a PKCS#11 URI names.
namespace tallycard::keyring {

Result<std::unique_ptr<OperationSigner>> open_token_operation_key(const std::string& uri,
                                                                  Secrets& secrets);
Result<std::unique_ptr<CardRoot>> open_token_card_root(const std::string& uri, Secrets& secrets);
Result<CheckpointKey> open_token_checkpoint_key(const std::string& uri, Secrets& secrets);

}  // namespace tallycard::keyring
