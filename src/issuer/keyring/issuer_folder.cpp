// SPDX-License-Identifier: Apache-2.0
#include "issuer_folder.hpp"

#include <filesystem>

namespace tallycard::keyring {

std::vector<std::string> IssuerFolder::operation_keys() const
{
    constexpr unsigned most = 256;  // as in an issuer's description
    std::vector<std::string> found;
    for (unsigned number = 1; number <= most; ++number) {
        std::error_code error;
        if (std::filesystem::exists(operation_key(number), error))
            found.push_back(operation_key(number));
    }
    return found;
}

}  // namespace tallycard::keyring
