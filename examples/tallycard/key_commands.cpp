// SPDX-License-Identifier: Apache-2.0
// issuer init, issuer add-operation-key, rotate-key: the issuer's keys from the first to the next.
#include <algorithm>
#include <filesystem>
#include <map>

#include <tallycard/card_session.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "keys.hpp"
#include "office.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::IssuerFolder;

namespace {

namespace fs = std::filesystem;

// As IssuerDescription has it: asked before any key is made.
bool is_origin(const std::string& name)
{
    return !name.empty() && name.size() <= 64 &&
           std::ranges::all_of(name, [](char c) { return c >= 0x21 && c <= 0x7E && c != '+'; });
}

// A key that the issuer is to get: one that is there, or a new one in a file.
struct ChosenKey {
    ChosenKey(KeyRole the_role, const std::string& named, std::string place)
        : role(the_role), in_folder(std::move(place))
    {
        const bool same = !named.empty() && fs::absolute(named) == fs::absolute(in_folder);
        if (!same) reference = named;
    }
    KeyRole role;
    std::string reference;  // empty: a new key, in the folder
    std::string in_folder;

    bool is_there() const
    {
        return keys::is_uri(reference) || (!reference.empty() && fs::exists(reference));
    }
    PublicKey open(keys::Secrets& secrets) const
    {
        return keys::public_key(role, reference, secrets);
    }
    PublicKey make(const Passphrase& secret) const
    {
        return create_key_file(reference.empty() ? in_folder : reference, role, secret).value();
    }
};

class NewKeys {
public:
    explicit NewKeys(const Options& options) : secrets_(options) {}

    // Those that are there come first: where one does not open, nothing is made.
    void look(const std::vector<ChosenKey>& chosen)
    {
        for (const auto& key : chosen)
            if (!key.is_there()) (void)passphrase();
        for (const auto& key : chosen)
            if (key.is_there()) public_keys_[key.role] = key.open(secrets_);
    }
    PublicKey make(const ChosenKey& key)
    {
        if (!key.is_there()) public_keys_[key.role] = key.make(passphrase());
        if (!key.reference.empty()) keys::write_reference(key.in_folder, key.reference);
        return public_keys_.at(key.role);
    }

private:
    const Passphrase& passphrase()
    {
        return secrets_.passphrase("New passphrase for the issuer's keys", true);
    }
    keys::Secrets secrets_;
    std::map<KeyRole, PublicKey> public_keys_;
};

std::string operation_reference(const Options& options)
{
    if (options.operation_keys.size() > 1)
        raise(Error{.code = Errc::malformed, .where = "--operation-key (one new key at a time)"});
    return options.operation_keys.empty() ? std::string() : options.operation_keys.front();
}

IssuerDescription described(const Options& options)
{
    const auto unit = Unit::parse(options.unit);
    if (!unit) raise(Error{.code = Errc::malformed, .where = "--unit (EUR, 978, 0x8001)"});
    IssuerDescription issuer;
    issuer.origin = options.origin;
    issuer.currency = {*unit, static_cast<std::uint8_t>(options.exponent)};
    constexpr auto name_rule = "--name (1 to 64 characters, no space or +)";
    if (!is_origin(issuer.origin)) raise(Error{.code = Errc::malformed, .where = name_rule});
    if (workplace::is_remote(options))
        raise(Error{.code = Errc::malformed, .where = "--issuer (a folder is wanted)"});
    return issuer;
}

Report init(const Options& options)
{
    auto issuer = described(options);
    const IssuerFolder folder(options.issuer);
    const ChosenKey operation{KeyRole::operation, operation_reference(options),
                              folder.operation_key()};
    const ChosenKey root{KeyRole::card_root, options.card_root, folder.card_root_key()};
    const ChosenKey checkpoint{KeyRole::checkpoint, options.checkpoint_key,
                               folder.checkpoint_key()};
    if (fs::exists(folder.description()) || fs::exists(folder.operation_key()))
        raise(Error{.code = Errc::file_exists, .where = "--issuer: an issuer in this folder"});
    NewKeys new_keys(options);
    new_keys.look({operation, root, checkpoint});
    const bool is_new = fs::create_directories(options.issuer);
    if (is_new) fs::permissions(options.issuer, fs::perms::owner_all);

    issuer.operation_keys = {new_keys.make(operation)};
    issuer.card_root = new_keys.make(root);
    issuer.checkpoint_key = new_keys.make(checkpoint);
    const auto place = workplace::store_place(options);
    (void)workplace::reached(create_store(place), place);
    create_issuer_file(folder.description(), issuer).value();
    const auto root_place = root.reference.empty() ? root.in_folder : root.reference;
    return {"issuer " + issuer.origin + " made in " + options.issuer + "\nGive " +
                folder.description() + " to terminals and auditors. Keep " + root_place +
                " offline when no cards are issued.",
            {{"issuer", options.issuer},
             {"origin", issuer.origin},
             {"card_root", issuer.card_root.to_string()},
             {"operation_key", issuer.operation_keys.front().to_string()},
             {"checkpoint_key", issuer.checkpoint_key.to_string()}},
            exit_code::done};
}

bool is_named(const IssuerDescription& issuer, const PublicKey& key)
{
    return std::ranges::find(issuer.operation_keys, key) != issuer.operation_keys.end();
}

// The key that a call made which did not get as far as issuer.pub; else a new one.
PublicKey next_key(const Options& options, const IssuerDescription& issuer, keys::Secrets& secrets)
{
    const IssuerFolder folder(options.issuer);
    const auto reference = operation_reference(options);
    for (const auto& file : folder.operation_keys()) {
        const auto key = keys::public_key(KeyRole::operation, file, secrets);
        if (!is_named(issuer, key)) return key;
    }
    unsigned number = 2;
    while (fs::exists(folder.operation_key(number))) ++number;
    const auto file = folder.operation_key(number);
    const ChosenKey chosen{KeyRole::operation, reference, file};
    if (!chosen.is_there())
        return chosen.make(secrets.passphrase("Passphrase of the issuer's keys", true));
    const auto key = chosen.open(secrets);
    if (is_named(issuer, key))
        raise(Error{.code = Errc::file_exists, .where = "--operation-key: a key of this issuer"});
    keys::write_reference(file, reference);
    return key;
}

Report add_operation_key(const Options& options)
{
    const IssuerFolder folder(options.issuer);
    auto issuer = workplace::issuer(options);
    constexpr auto is_a_file = "the issuer's folder (--issuer is a file)";
    if (!fs::is_directory(options.issuer))
        raise(Error{.code = Errc::file_missing, .where = is_a_file});
    keys::Secrets secrets(options);
    const auto key = next_key(options, issuer, secrets);
    issuer.operation_keys.insert(issuer.operation_keys.begin(), key);
    replace_issuer_file(folder.description(), issuer).value();
    return {"operation key " + key.to_string() +
                " added: new cards get it. Give issuer.pub to auditors again, and the key to the "
                "cards that are out with 'tallycard rotate-key'",
            {{"operation_key", key.to_string()}, {"issuer", options.issuer}},
            exit_code::done};
}

// Signed with the key that is in the card, whichever of the issuer's that is.
Report rotate_key(const Options& options)
{
    const auto platform = workplace::platform(options, workplace::Signing::yes);
    const auto& issuer = platform->issuer();
    const auto& newest = issuer.operation_keys.front();
    const auto id = workplace::operation_id(options);
    const auto desk = workplace::desk(options);
    auto session = CardSession::begin(*desk.card, issuer.card_root).value();
    const auto card_id = session.info().card_id;
    session.end().value();
    const auto row = platform->card(card_id).value();
    if (options.id.empty() && row && row->operation_key == newest) {
        return {"card " + card_id.to_string() + " has the newest operation key already",
                {{"outcome", "applied"}, {"card", card_id.to_string()}, {"already", true}},
                exit_code::done};
    }
    Terminal terminal(*platform, workplace::terminal_settings(options, issuer));
    return report_of(terminal.administer(*desk.card, id, Kind::replace_operation_key, newest), id,
                     issuer.currency);
}

}  // namespace

void add_key_commands(Program& program, CLI::App& issuer)
{
    auto& options = program.options;
    auto& make = program.command(issuer, "init", "Make keys, store and public description", init);
    with::issuer(make, options);
    with::passphrase(make, options);
    with::operation_key(make, options);
    with::card_root(make, options);
    with::checkpoint_key(make, options);
    make.add_option("--name", options.origin, "Name of the issuer, as in checkpoints: example.org")
        ->required();
    make.add_option("--unit", options.unit, "Unit: EUR, 978, or 0x8000 to 0xFFFF for your own")
        ->capture_default_str();
    make.add_option("--exponent", options.exponent, "Decimals of the unit")
        ->check(CLI::Range(0, 18))
        ->capture_default_str();

    auto& add = program.command(issuer, "add-operation-key",
                                "Add an operation key, which new cards get", add_operation_key);
    with::issuer(add, options);
    with::passphrase(add, options);
    with::operation_key(add, options);

    auto& rotate = program.command("rotate-key", "Give the card the issuer's newest operation key",
                                   rotate_key);
    with::issuer(rotate, options);
    with::passphrase(rotate, options);
    with::operation_key(rotate, options);
    with::reader(rotate, options);
    with::operation(rotate, options);
}
