// SPDX-License-Identifier: Apache-2.0
// For a tool that is built without TALLYCARD_BUILD_PKCS11.
#include "token_keys.hpp"

#include <tallycard/result_error.hpp>

using namespace tallycard;

namespace token_keys {
namespace {

[[noreturn]] void refuse()
{
    raise(Error{.code = Errc::token_missing, .where = "this tallycard was built without PKCS#11"});
}

}  // namespace

std::unique_ptr<OperationSigner> open_operation_key(const std::string&, keys::Secrets&)
{
    refuse();
}

std::unique_ptr<CardRoot> open_card_root(const std::string&, keys::Secrets&)
{
    refuse();
}

CheckpointKey open_checkpoint_key(const std::string&, keys::Secrets&)
{
    refuse();
}

}  // namespace token_keys
