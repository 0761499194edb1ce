// SPDX-License-Identifier: Apache-2.0
#include "opening.hpp"

#include <chrono>
#include <filesystem>
#include <utility>

#include <tallycard/key_file.hpp>

#include "../https/endpoint.hpp"
#include "../issuer/files.hpp"
#include "../issuer/keyring/issuer_folder.hpp"
#include "../issuer/keyring/keyring.hpp"
#include "clients.hpp"
#include "secret_file.hpp"

namespace tallycard::service {
namespace {

using files::named;
using keyring::IssuerFolder;

constexpr SecretFileNames token_pin_file{"PIN file of the token",
                                         "PIN file of the token is open to others (chmod 600)"};

// A service has nobody to ask: its secrets are in files.
class FileSecrets final : public keyring::Secrets {
public:
    explicit FileSecrets(const Settings& settings) : settings_(settings) {}
    Result<const Passphrase*> passphrase(const std::string&) override
    {
        if (!passphrase_) {
            auto read = read_secret(settings_.passphrase_file, passphrase_file_names);
            if (!read) return read.error();
            passphrase_ = std::move(*read);
        }
        return &*passphrase_;
    }
    Result<Passphrase> token_pin(const std::string& pin_source) override
    {
        const auto& file = settings_.hsm_pin_file.empty() ? pin_source : settings_.hsm_pin_file;
        if (file.empty())
            return Error{.code = Errc::pin_needed, .where = "hsm-pin-file (of the configuration)"};
        return read_secret(file, token_pin_file);
    }

private:
    const Settings& settings_;
    std::optional<Passphrase> passphrase_;
};

// The key that is configured, or else a new one in a sealed file of the folder.
Result<PublicKey> operation_key(const Settings& settings, FileSecrets& secrets)
{
    if (!settings.operation_keys.empty()) {
        const auto key = keyring::open_operation_key(settings.operation_keys.front(), secrets);
        if (!key) return key.error();
        return (*key)->public_key();
    }
    const auto passphrase = secrets.passphrase({});
    if (!passphrase) return passphrase.error();
    return create_key_file(IssuerFolder(settings.folder).operation_key(), KeyRole::operation,
                           **passphrase);
}

Result<PublicKey> checkpoint_key(const Settings& settings, FileSecrets& secrets)
{
    if (!settings.checkpoint_key.empty()) {
        const auto key = keyring::open_checkpoint_key(settings.checkpoint_key, secrets);
        if (!key) return key.error();
        return key->public_key();
    }
    const auto passphrase = secrets.passphrase({});
    if (!passphrase) return passphrase.error();
    return create_key_file(IssuerFolder(settings.folder).checkpoint_key(), KeyRole::checkpoint,
                           **passphrase);
}

Result<void> make_client(const Settings& settings, std::string& clients, const std::string& name,
                         const char* roles)
{
    const auto token = make_token();
    const auto made = files::create(settings.folder + "/" + name + ".token", token + "\n");
    if (!made) return named(made, "token file");
    clients += "\n[client " + name + "]\nroles = " + roles +
               "\ntoken-sha256 = " + digest_of_token(token).to_string() + "\n";
    return {};
}

Result<void> make_clients(const Settings& settings)
{
    std::string clients = "# Who may talk to the service: docs/service.md\n";
    for (const auto& [name, roles] : {std::pair{"operator", "operator auditor"},
                                      {"terminal-1", "terminal"},
                                      {"auditor", "auditor"}})
        if (auto made = make_client(settings, clients, name, roles); !made) return made;
    return named(files::create(settings.service.clients_file, clients), "file of the clients");
}

Result<void> make_issuer(const Settings& settings, const NewIssuer& order)
{
    const IssuerFolder folder(settings.folder);
    const auto kept = files::create(settings.passphrase_file, make_token() + "\n");
    if (!kept) return named(kept, "passphrase file");
    FileSecrets secrets(settings);
    const auto passphrase = secrets.passphrase({});
    if (!passphrase) return passphrase.error();
    const auto operation = operation_key(settings, secrets);
    if (!operation) return operation.error();
    const auto root = create_key_file(folder.card_root_key(), KeyRole::card_root, **passphrase);
    if (!root) return root.error();
    const auto notes = checkpoint_key(settings, secrets);
    if (!notes) return notes.error();
    const IssuerDescription issuer{.origin = order.origin,
                                   .currency = order.currency,
                                   .card_root = *root,
                                   .checkpoint_key = *notes,
                                   .operation_keys = {*operation}};
    if (!issuer.valid()) return Error{.code = Errc::malformed, .where = "name of the issuer"};
    const auto store = create_store(settings.store);
    if (!store) return store.error();
    // Last: an issuer without its description was not made.
    return create_issuer_file(folder.description(), issuer);
}

// None where there is none; the one that is configured has to be there.
Result<std::optional<CheckpointKey>> open_notes(const Settings& settings, FileSecrets& secrets)
{
    const auto in_folder = IssuerFolder(settings.folder).checkpoint_key();
    const auto& configured = settings.checkpoint_key;
    auto key = keyring::open_checkpoint_key(configured.empty() ? in_folder : configured, secrets);
    if (key) return std::optional(std::move(*key));
    if (configured.empty() && !std::filesystem::exists(in_folder))
        return std::optional<CheckpointKey>();
    return key.error();
}

}  // namespace

Result<Engine> open_engine(const Settings& settings)
{
    const IssuerFolder folder(settings.folder);
    const auto issuer = named(read_issuer_file(folder.description()), "issuer.pub");
    if (!issuer) return issuer.error();
    FileSecrets secrets(settings);
    auto signers =
        keyring::open_operation_keys(settings.operation_keys, settings.folder, *issuer, secrets);
    if (!signers) return signers.error();
    Engine engine;
    auto notes = open_notes(settings, secrets);
    if (!notes) return notes.error();
    engine.checkpoint_key = std::move(*notes);

    auto store = open_store(settings.store, StoreCheck::quick);
    if (!store) return store.error();
    auto opened = Platform::open(std::move(*store),
                                 {.issuer = *issuer,
                                  .signers = std::move(*signers),
                                  .checkpoint_file = folder.checkpoint(),
                                  .quarantine = std::chrono::days(settings.quarantine_days),
                                  .gap_after = std::chrono::days(settings.gap_days)});
    if (!opened) return opened.error();
    engine.platform = std::move(*opened);
    return engine;
}

Result<void> make_engine(const Settings& settings, const NewIssuer& issuer)
{
    namespace fs = std::filesystem;
    std::error_code failed;
    if (fs::create_directories(settings.folder, failed))
        fs::permissions(settings.folder, fs::perms::owner_all, failed);
    if (!fs::exists(IssuerFolder(settings.folder).description()))
        if (auto made = make_issuer(settings, issuer); !made) return made;
    if (!fs::exists(settings.service.clients_file))
        if (auto made = make_clients(settings); !made) return made;
    const auto& [certificate, key, authority] = settings.service.tls;
    if (fs::exists(certificate)) return {};
    return named(tls::make_self_signed(certificate, key), "certificate of the service");
}

}  // namespace tallycard::service
