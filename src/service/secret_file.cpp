// SPDX-License-Identifier: Apache-2.0
#include "secret_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "../issuer/files.hpp"

namespace tallycard::service {
namespace {

// systemd guards its folder of credentials itself, and what an ACL there allows looks like the
// group's permission.
bool is_credential(const std::string& path)
{
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    return folder != nullptr && path.starts_with(std::string(folder) + "/");
}

bool is_open_to_others(const std::string& path)
{
    namespace fs = std::filesystem;
    std::error_code failed;
    const auto status = fs::status(path, failed);
    return !failed && fs::is_regular_file(status) &&
           (status.permissions() & (fs::perms::group_all | fs::perms::others_all)) !=
               fs::perms::none;
}

}  // namespace

Result<Passphrase> read_secret(const std::string& path, const SecretFileNames& names)
{
    if (!is_credential(path) && is_open_to_others(path))
        return Error{.code = Errc::file_rejected, .detail = EACCES, .where = names.open_to_others};
    auto text = files::read(path, Passphrase::max_size + 1);
    if (!text) {
        auto error = text.error();
        error.where = names.file;
        return error;
    }
    if (text->ends_with('\n')) text->pop_back();
    return Passphrase::take(*text);
}

}  // namespace tallycard::service
