// SPDX-License-Identifier: Apache-2.0
#include "keys.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

#include <tallycard/result_error.hpp>

#include "secret_input.hpp"
#include "token_keys.hpp"
#include "workplace.hpp"

using namespace tallycard;

namespace keys {
namespace {

// Where a reference ends: a URI, or a sealed file.
std::string resolve(const std::string& reference)
{
    if (is_uri(reference)) return reference;
    workplace::expect_file(reference, "key file");
    std::string line(4096, '\0');
    std::ifstream in(reference, std::ios::binary);
    in.read(line.data(), static_cast<std::streamsize>(line.size()));
    line.resize(static_cast<std::size_t>(in.gcount()));
    if (!is_uri(line) && !line.starts_with('/')) return reference;
    if (line.ends_with('\n')) line.pop_back();
    return line;
}

}  // namespace

bool is_uri(const std::string& reference)
{
    return reference.starts_with("pkcs11:");
}

const Passphrase& Secrets::passphrase(const std::string& what, bool confirm)
{
    if (!passphrase_) passphrase_ = workplace::passphrase(options_, what, confirm);
    return *passphrase_;
}

Passphrase Secrets::token_pin(const std::string& pin_source) const
{
    secret_input::PassphraseSource source{options_.hsm_pin_file, options_.hsm_pin_fd};
    if (source.file.empty() && !source.descriptor) source.file = pin_source;
    return secret_input::token_pin("PIN of the token", source).value();
}

std::unique_ptr<OperationSigner> open_operation_key(const std::string& reference, Secrets& secrets)
{
    const auto place = resolve(reference);
    if (is_uri(place)) return token_keys::open_operation_key(place, secrets);
    return tallycard::open_operation_key(place,
                                         secrets.passphrase("Passphrase of the operation key"))
        .value();
}

std::unique_ptr<CardRoot> open_card_root(const std::string& reference, Secrets& secrets)
{
    const auto place = resolve(reference);
    if (is_uri(place)) return token_keys::open_card_root(place, secrets);
    return tallycard::open_card_root(place, secrets.passphrase("Passphrase of the card root key"))
        .value();
}

CheckpointKey open_checkpoint_key(const std::string& reference, Secrets& secrets)
{
    const auto place = resolve(reference);
    if (is_uri(place)) return token_keys::open_checkpoint_key(place, secrets);
    return tallycard::open_checkpoint_key(place,
                                          secrets.passphrase("Passphrase of the checkpoint key"))
        .value();
}

PublicKey public_key(KeyRole role, const std::string& reference, Secrets& secrets)
{
    switch (role) {
    case KeyRole::operation: return open_operation_key(reference, secrets)->public_key();
    case KeyRole::card_root: return open_card_root(reference, secrets)->public_key();
    case KeyRole::checkpoint: break;
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
