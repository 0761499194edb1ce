// SPDX-License-Identifier: Apache-2.0
#include "folder.hpp"

#include <filesystem>
#include <utility>

#include <tallycard/key_file.hpp>
#include <tallycard/witness_policy.hpp>

#include "../issuer/files.hpp"
#include "../service/clients.hpp"
#include "../service/secret_file.hpp"
#include "../service/tls.hpp"

namespace tallycard::witness {
namespace {

using files::named;

constexpr std::size_t longest_public_key = 512;

std::string logs_text(const std::vector<NoteKey>& logs)
{
    std::string text =
        "# Whose checkpoints this witness cosigns: lines \"log VKEY\". SIGHUP reads it again.\n";
    for (const auto& log : logs) text += "log " + log.to_string() + '\n';
    return text + "quorum none\n";
}

bool is_there(const std::string& path)
{
    std::error_code failed;
    return std::filesystem::exists(path, failed);
}

// A new key; or the one of a making that was interrupted, which has signed nothing yet.
Result<PublicKey> make_key(const Folder& folder, const std::string& name,
                           const std::string& passphrase_file)
{
    const bool is_begun = is_there(folder.key());
    if (!is_begun && !is_there(passphrase_file)) {
        const auto made = files::create(passphrase_file, service::make_token() + "\n");
        if (!made) return named(made, "passphrase file").error();
    }
    const auto passphrase = service::read_secret(passphrase_file, service::passphrase_file_names);
    if (!passphrase) return passphrase.error();
    if (!is_begun)
        return named(create_key_file(folder.key(), KeyRole::witness, *passphrase), "witness.key");
    const auto key = named(open_witness_key(folder.key(), name, *passphrase), "witness.key");
    if (!key) return key.error();
    return key->verifier().key;
}

Result<void> make_logs(const Folder& folder, const std::vector<NoteKey>& logs)
{
    const auto text = logs_text(logs);
    const auto before = files::read(folder.logs(), text.size());
    if (before && *before == text) return {};
    return named(files::create(folder.logs(), text), "logs");
}

Result<void> make_certificate(const Folder& folder)
{
    if (is_there(folder.certificate())) return {};  // its key is made before it
    std::error_code failed;
    std::filesystem::remove(folder.certificate_key(), failed);
    return named(service::tls::make_self_signed(folder.certificate(), folder.certificate_key()),
                 "tls.crt");
}

}  // namespace

Result<NoteKey> make_folder(const Folder& folder, const std::string& name,
                            const std::vector<NoteKey>& logs, const std::string& passphrase_file)
{
    namespace fs = std::filesystem;
    if (!is_note_name(name))
        return Error{.code = Errc::malformed, .where = "name of the witness (no spaces, no +)"};
    if (is_there(folder.public_key()))
        return Error{.code = Errc::file_exists, .where = "witness.pub"};
    std::error_code failed;
    if (fs::create_directories(folder.path, failed))
        fs::permissions(folder.path, fs::perms::owner_all, failed);
    const auto key = make_key(folder, name, passphrase_file);
    if (!key) return key.error();
    if (const auto listed = make_logs(folder, logs); !listed) return listed.error();
    if (const auto certified = make_certificate(folder); !certified) return certified.error();
    // Last: a witness without its public key was not made.
    const NoteKey verifier{.name = name, .type = NoteKeyType::witness, .key = *key};
    const auto made = files::create(folder.public_key(), verifier.to_string() + '\n');
    if (!made) return named(made, "witness.pub").error();
    return verifier;
}

Result<NoteKey> read_public_key(const Folder& folder)
{
    auto text = files::read(folder.public_key(), longest_public_key);
    if (!text) return named(text, "witness.pub (make one with 'tallycard-witness init')").error();
    if (text->ends_with('\n')) text->pop_back();
    auto key = NoteKey::parse(*text);
    if (!key || key->type != NoteKeyType::witness)
        return Error{.code = Errc::file_damaged, .where = "witness.pub"};
    return std::move(*key);
}

Result<CosignerKey> open_key(const Folder& folder, const std::string& passphrase_file)
{
    const auto verifier = read_public_key(folder);
    if (!verifier) return verifier.error();
    const auto passphrase = service::read_secret(passphrase_file, service::passphrase_file_names);
    if (!passphrase) return passphrase.error();
    auto key = named(open_witness_key(folder.key(), verifier->name, *passphrase), "witness.key");
    if (key && key->verifier() != *verifier)
        return Error{.code = Errc::conflict, .where = "witness.key is not the one of witness.pub"};
    return key;
}

Result<std::vector<NoteKey>> read_logs(const Folder& folder)
{
    const auto policy = WitnessPolicy::read(folder.logs());
    if (!policy) {
        auto error = policy.error();
        if (error.code != Errc::file_malformed) error.where = "logs of the witness";
        return error;
    }
    std::vector<NoteKey> keys;
    for (const auto& log : policy->logs()) keys.push_back(log.key);
    return keys;
}

}  // namespace tallycard::witness
