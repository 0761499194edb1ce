// SPDX-License-Identifier: Apache-2.0
// Secrets of programs that have nobody to ask: the first line of a file.
#pragma once

#include <string>

#include <tallycard/passphrase.hpp>
#include <tallycard/result.hpp>

namespace tallycard::service {

// What errors call such a file.
struct SecretFileNames {
    const char *file, *open_to_others;
};
inline constexpr SecretFileNames passphrase_file_names{
    "passphrase file", "passphrase file is open to others (chmod 600)"};

// Errc::file_missing; Errc::file_rejected (EACCES) for a file that others may read, unless systemd
// guards its folder.
Result<Passphrase> read_secret(const std::string& path, const SecretFileNames& names);

}  // namespace tallycard::service
