// SPDX-License-Identifier: Apache-2.0
// For programs that are built without TALLYCARD_BUILD_PKCS11.
#include "token_keys.hpp"

namespace tallycard::keyring {
namespace {

constexpr Error without{.code = Errc::token_missing,
                        .where = "PKCS#11, without which this was built"};

}  // namespace

Result<std::unique_ptr<OperationSigner>> open_token_operation_key(const std::string&, Secrets&)
{
    return without;
}

Result<std::unique_ptr<CardRoot>> open_token_card_root(const std::string&, Secrets&)
{
    return without;
}

Result<CheckpointKey> open_token_checkpoint_key(const std::string&, Secrets&)
{
    return without;
}

}  // namespace tallycard::keyring
