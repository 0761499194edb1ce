// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"

#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include <tallycard/result_error.hpp>

#include "secret_input.hpp"

using namespace tallycard;

namespace keys {

const Passphrase& Secrets::new_passphrase(const std::string& what)
{
    return *ask(what, true).value();
}

Result<const Passphrase*> Secrets::passphrase(const std::string& what)
{
    return ask(what, false);
}

Result<const Passphrase*> Secrets::ask(const std::string& what, bool confirm)
{
    if (!passphrase_) {
        auto read = secret_input::passphrase(
            what, {options_.passphrase_file, options_.passphrase_fd}, confirm);
        if (!read) return read.error();
        passphrase_ = std::move(*read);
    }
    return &*passphrase_;
}

Result<Passphrase> Secrets::token_pin(const std::string& pin_source)
{
    secret_input::PassphraseSource source{options_.hsm_pin_file, options_.hsm_pin_fd};
    if (source.file.empty() && !source.descriptor) source.file = pin_source;
    return secret_input::token_pin("PIN of the token", source);
}

std::unique_ptr<OperationSigner> open_operation_key(const std::string& reference, Secrets& secrets)
{
    return keyring::open_operation_key(reference, secrets).value();
}

std::unique_ptr<CardRoot> open_card_root(const std::string& reference, Secrets& secrets)
{
    return keyring::open_card_root(reference, secrets).value();
}

std::unique_ptr<AccountSigner> open_account_key(const std::string& reference, Secrets& secrets)
{
    return keyring::open_account_key(reference, secrets).value();
}

CheckpointKey open_checkpoint_key(const std::string& reference, Secrets& secrets)
{
    return keyring::open_checkpoint_key(reference, secrets).value();
}

PublicKey public_key(KeyRole role, const std::string& reference, Secrets& secrets)
{
    switch (role) {
    case KeyRole::operation: return open_operation_key(reference, secrets)->public_key();
    case KeyRole::card_root: return open_card_root(reference, secrets)->public_key();
    case KeyRole::checkpoint:
    case KeyRole::witness:
    case KeyRole::account: break;  // no issuer has one
    }
    return open_checkpoint_key(reference, secrets).public_key();
}

void write_reference(const std::string& path, const std::string& reference)
{
    const auto refuse = [](int error) {
        raise(Error{.code = error == EEXIST ? Errc::file_exists : Errc::file_rejected,
                    .detail = static_cast<std::uint32_t>(error),
                    .where = "key reference in the issuer's folder"});
    };
    const auto line =
        (is_uri(reference) ? reference : std::filesystem::absolute(reference).string()) + "\n";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) refuse(errno);
    const bool written =
        ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
        ::fsync(file) == 0;
    const int error = errno;
    ::close(file);
    if (written) return;
    ::unlink(path.c_str());
    refuse(error);
}

}  // namespace keys
