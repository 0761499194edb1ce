// SPDX-License-Identifier: Apache-2.0
#include "keyring.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include <tallycard/key_file.hpp>

#include "issuer_folder.hpp"
#include "token_keys.hpp"

namespace tallycard::keyring {
namespace {

// Where a reference ends: a URI, or a sealed file.
Result<std::string> resolve(const std::string& reference)
{
    if (is_uri(reference)) return reference;
    std::error_code error;
    if (!std::filesystem::exists(reference, error))
        return Error{.code = Errc::file_missing, .where = "key file"};
    std::string line(4096, '\0');
    std::ifstream in(reference, std::ios::binary);
    in.read(line.data(), static_cast<std::streamsize>(line.size()));
    line.resize(static_cast<std::size_t>(in.gcount()));
    if (!is_uri(line) && !line.starts_with('/')) return reference;
    if (line.ends_with('\n')) line.pop_back();
    return line;
}

template <class Key>
using OpenFile = Result<Key>(const std::string& path, const Passphrase& passphrase);

template <class Key>
Result<Key> open(const std::string& reference, Secrets& secrets, OpenFile<Key>& in_file,
                 const char* what)
{
    const auto place = resolve(reference);
    if (!place) return place.error();
    if (is_uri(*place)) return open_token_key<Key>(*place, secrets);
    const auto passphrase = secrets.passphrase(what);
    if (!passphrase) return passphrase.error();
    return in_file(*place, **passphrase);
}

}  // namespace

bool is_uri(const std::string& reference)
{
    return reference.starts_with("pkcs11:");
}

Result<std::unique_ptr<OperationSigner>> open_operation_key(const std::string& reference,
                                                            Secrets& secrets)
{
    return open(reference, secrets, tallycard::open_operation_key,
                "Passphrase of the operation key");
}

Result<std::unique_ptr<AccountSigner>> open_account_key(const std::string& reference,
                                                        Secrets& secrets)
{
    return open(reference, secrets, tallycard::open_account_key, "Passphrase of the account key");
}

Result<std::unique_ptr<CardRoot>> open_card_root(const std::string& reference, Secrets& secrets)
{
    return open(reference, secrets, tallycard::open_card_root, "Passphrase of the card root key");
}

Result<CheckpointKey> open_checkpoint_key(const std::string& reference, Secrets& secrets)
{
    return open(reference, secrets, tallycard::open_checkpoint_key,
                "Passphrase of the checkpoint key");
}

Result<std::vector<std::shared_ptr<OperationSigner>>> open_operation_keys(
    std::vector<std::string> references, const std::string& folder, const IssuerDescription& issuer,
    Secrets& secrets)
{
    if (references.empty()) references = IssuerFolder(folder).operation_keys();
    if (references.empty())
        return Error{.code = Errc::file_missing, .where = "operation.key in the issuer's folder"};
    std::vector<std::shared_ptr<OperationSigner>> signers;
    for (const auto& reference : references) {
        auto signer = open_operation_key(reference, secrets);
        if (!signer) return signer.error();
        const auto& known = issuer.operation_keys;
        if (std::ranges::find(known, (*signer)->public_key()) == known.end()) {
            return Error{.code = Errc::conflict,
                         .where = "operation key that issuer.pub does not name"};
        }
        signers.push_back(std::move(*signer));
    }
    return signers;
}

}  // namespace tallycard::keyring
