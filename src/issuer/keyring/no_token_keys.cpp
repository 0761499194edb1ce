// SPDX-License-Identifier: Apache-2.0
// For programs that are built without TALLYCARD_BUILD_PKCS11.
#include "token_keys.hpp"

namespace tallycard::keyring {

template <class Key>
Result<Key> open_token_key(const std::string&, Secrets&)
{
    return Error{.code = Errc::token_missing, .where = "PKCS#11, without which this was built"};
}

template Result<std::unique_ptr<OperationSigner>> open_token_key(const std::string&, Secrets&);
template Result<std::unique_ptr<AccountSigner>> open_token_key(const std::string&, Secrets&);
template Result<std::unique_ptr<CardRoot>> open_token_key(const std::string&, Secrets&);
template Result<CheckpointKey> open_token_key(const std::string&, Secrets&);

}  // namespace tallycard::keyring
