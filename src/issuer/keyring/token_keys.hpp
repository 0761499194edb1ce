// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "keyring.hpp"

namespace tallycard::keyring {

// The key that a PKCS#11 URI names. Key: as the functions of keyring.hpp return it.
template <class Key>
Result<Key> open_token_key(const std::string& uri, Secrets& secrets);

}  // namespace tallycard::keyring
