// SPDX-License-Identifier: Apache-2.0
#include "opening.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <tallycard/key_file.hpp>

#include "../../https/endpoint.hpp"
#include "../files.hpp"
#include "clients.hpp"

namespace tallycard::service {
namespace {

// The files of an issuer's folder.
std::string in(const Settings& settings, const char* name)
{
    return settings.folder + "/" + name;
}

// An Error that says which file it is about.
template <class T>
Result<T> named(Result<T> result, const char* where)
{
    if (result) return result;
    auto error = result.error();
    error.where = where;
    return error;
}

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

// The first line of a file that is its owner's alone.
Result<Passphrase> read_passphrase(const std::string& path)
{
    if (!is_credential(path) && is_open_to_others(path)) {
        return Error{.code = Errc::file_rejected,
                     .detail = EACCES,
                     .where = "passphrase file is open to others (chmod 600)"};
    }
    auto text = named(files::read(path, Passphrase::max_size + 1), "passphrase file");
    if (!text) return text.error();
    if (text->ends_with('\n')) text->pop_back();
    return Passphrase::take(*text);
}

Result<void> make_client(const Settings& settings, std::string& clients, const std::string& name,
                         const char* roles)
{
    const auto token = make_token();
    const auto made = files::create(in(settings, (name + ".token").c_str()), token + "\n");
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
    auto text = make_token();
    const auto kept = files::create(settings.passphrase_file, text + "\n");
    if (!kept) return named(kept, "passphrase file");
    const auto secret = Passphrase::take(text);
    if (!secret) return secret.error();
    const auto operation =
        create_key_file(in(settings, "operation.key"), KeyRole::operation, *secret);
    if (!operation) return operation.error();
    const auto root = create_key_file(in(settings, "card-root.key"), KeyRole::card_root, *secret);
    if (!root) return root.error();
    const auto notes =
        create_key_file(in(settings, "checkpoint.key"), KeyRole::checkpoint, *secret);
    if (!notes) return notes.error();
    const IssuerDescription issuer{.origin = order.origin,
                                   .currency = order.currency,
                                   .card_root = *root,
                                   .checkpoint_key = *notes,
                                   .operation_keys = {*operation}};
    if (!issuer.valid()) return Error{.code = Errc::malformed, .where = "name of the issuer"};
    const auto store = create_sqlite_store(in(settings, "store.db"));
    if (!store) return store.error();
    // Last: an issuer without its description was not made.
    return create_issuer_file(in(settings, "issuer.pub"), issuer);
}

}  // namespace

Result<Engine> open_engine(const Settings& settings)
{
    const auto issuer = named(read_issuer_file(in(settings, "issuer.pub")), "issuer.pub");
    if (!issuer) return issuer.error();
    const auto secret = read_passphrase(settings.passphrase_file);
    if (!secret) return secret.error();
    auto signer = open_operation_key(in(settings, "operation.key"), *secret);
    if (!signer) return signer.error();
    Engine engine;
    auto key = open_checkpoint_key(in(settings, "checkpoint.key"), *secret);
    if (!key && key.error().code != Errc::file_missing) return key.error();
    if (key) engine.checkpoint_key = std::move(*key);

    auto store = open_sqlite_store(in(settings, "store.db"), StoreCheck::quick);
    if (!store) return store.error();
    PlatformSettings platform{
        .issuer = *issuer, .signers = {}, .checkpoint_file = in(settings, "checkpoint")};
    platform.signers.push_back(std::move(*signer));
    auto opened = Platform::open(std::move(*store), std::move(platform));
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
    if (!fs::exists(in(settings, "issuer.pub")))
        if (auto made = make_issuer(settings, issuer); !made) return made;
    if (!fs::exists(settings.service.clients_file))
        if (auto made = make_clients(settings); !made) return made;
    const auto& [certificate, key, authority] = settings.service.tls;
    if (fs::exists(certificate)) return {};
    return named(tls::make_self_signed(certificate, key), "certificate of the service");
}

}  // namespace tallycard::service
