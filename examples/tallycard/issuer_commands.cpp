// SPDX-License-Identifier: Apache-2.0
// issuer init and status, issue, accounts.
#include <algorithm>
#include <filesystem>

#include <tallycard/issuing.hpp>
#include <tallycard/key_file.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/transport_key_file.hpp>

#include "commands.hpp"
#include "limits_options.hpp"
#include "office.hpp"
#include "secret_input.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::IssuerFolder;
using workplace::Office;
using workplace::Signing;

namespace {

// As IssuerDescription has it: asked before any key is made.
bool is_origin(const std::string& name)
{
    return !name.empty() && name.size() <= 64 &&
           std::ranges::all_of(name, [](char c) { return c >= 0x21 && c <= 0x7E && c != '+'; });
}

Report init(const Options& options)
{
    namespace fs = std::filesystem;
    const auto unit = Unit::parse(options.unit);
    if (!unit) raise(Error{.code = Errc::malformed, .where = "--unit (EUR, 978, 0x8001)"});
    IssuerDescription issuer;
    issuer.origin = options.origin;
    issuer.currency = {*unit, static_cast<std::uint8_t>(options.exponent)};
    constexpr auto name_rule = "--name (1 to 64 characters, no space or +)";
    if (!is_origin(issuer.origin)) raise(Error{.code = Errc::malformed, .where = name_rule});
    if (workplace::is_remote(options))
        raise(Error{.code = Errc::malformed, .where = "--issuer (a folder is wanted)"});
    const IssuerFolder folder(options.issuer);
    if (fs::exists(folder.description()) || fs::exists(folder.operation_key()))
        raise(Error{.code = Errc::file_exists, .where = "--issuer: an issuer in this folder"});
    const auto secret =
        workplace::passphrase(options, "New passphrase for the issuer's keys", true);
    const bool is_new = fs::create_directories(options.issuer);
    if (is_new) fs::permissions(options.issuer, fs::perms::owner_all);

    issuer.operation_keys = {
        create_key_file(folder.operation_key(), KeyRole::operation, secret).value()};
    issuer.card_root = create_key_file(folder.card_root_key(), KeyRole::card_root, secret).value();
    issuer.checkpoint_key =
        create_key_file(folder.checkpoint_key(), KeyRole::checkpoint, secret).value();
    (void)create_sqlite_store(folder.store()).value();
    create_issuer_file(folder.description(), issuer).value();
    return {"issuer " + issuer.origin + " made in " + options.issuer + "\nGive " +
                folder.description() + " to terminals and auditors. Keep " +
                folder.card_root_key() + " offline when no cards are issued.",
            {{"issuer", options.issuer},
             {"origin", issuer.origin},
             {"card_root", issuer.card_root.to_string()},
             {"operation_key", issuer.operation_keys.front().to_string()},
             {"checkpoint_key", issuer.checkpoint_key.to_string()}},
            exit_code::done};
}

Report issue(const Options& options)
{
    if (options.private_balance && options.without_pin)
        raise(Error{.code = Errc::no_pin, .where = "--private-balance"});
    const auto transport_key = read_transport_key(options.transport_key_file).value();
    Office office(options, Signing::no);
    const auto& currency = office.issuer().currency;
    CardOrder order;
    order.limits = limits_options::parse(options, currency);
    order.private_balance = options.private_balance;
    if (!options.card.empty()) order.card_id = workplace::card_id(options.card);
    std::optional<PinBlock> pin;
    if (!options.without_pin) {
        pin = secret_input::pin("PIN of the new card", options.pin_fd).value();
        order.pin = &*pin;
    }
    const auto secret = workplace::passphrase(options, "Passphrase of the card root key");
    const auto root_file = options.card_root_file.empty()
                               ? IssuerFolder(options.issuer).card_root_key()
                               : options.card_root_file;
    workplace::expect_file(root_file, "card-root.key in the issuer's folder (--card-root-file)");
    const auto root = open_card_root(root_file, secret).value();
    const auto desk = workplace::desk(options);
    const auto info =
        issue_card(office.registry(), *root, *desk.card, transport_key, order).value();
    const auto id = info.card_id.to_string();
    return {"card " + id + " issued, " + currency.unit.to_string() + "; its holder's account is " +
                std::string(holder_account(info.card_id).text()),
            {{"card", id},
             {"unit", currency.unit.to_string()},
             {"holder_account", std::string(holder_account(info.card_id).text())}},
            exit_code::done};
}

Json account_json(const std::string& account, std::int64_t balance, std::int64_t reserved,
                  const Currency& currency)
{
    return {{"account", account},
            {"balance", amount_json(Amount::minor_units(balance), currency)},
            {"reserved", amount_json(Amount::minor_units(reserved), currency)}};
}

Report accounts(const Options& options)
{
    Office office(options, Signing::no);
    const auto& currency = office.issuer().currency;
    std::vector<std::vector<std::string>> rows = {{"account", "balance", "reserved"}};
    Json json = Json::array();
    std::int64_t sum = 0;
    const auto add = [&](const std::string& account, std::int64_t balance, std::int64_t reserved) {
        rows.push_back({account, to_string(Amount::minor_units(balance), currency),
                        reserved == 0 ? "" : to_string(Amount::minor_units(reserved), currency)});
        json.push_back(account_json(account, balance, reserved, currency));
        if (__builtin_add_overflow(sum, balance, &sum))
            raise(Error{.code = Errc::bad_amount, .where = "sum of the books"});
    };
    for (const auto& row : office.accounts()) add(row.name.to_string(), row.balance, row.reserved);
    for (const auto& row : office.cards()) {
        const auto balance = static_cast<std::int64_t>(row.balance.to_minor_units());
        add("card/" + row.card_id.to_string(), balance, 0);
    }
    rows.push_back({"sum", to_string(Amount::minor_units(sum), currency)});
    return {table(rows),
            {{"accounts", json}, {"sum", amount_json(Amount::minor_units(sum), currency)}},
            exit_code::done};
}

Report open_account(const Options& options)
{
    const auto id = workplace::account(options.account, "account");
    Office(options, Signing::no).open_account(id);
    return {
        "account " + options.account + " is open", {{"account", options.account}}, exit_code::done};
}

Report deny(const Options& options)
{
    Office(options, Signing::no).deny(workplace::card_id(options.card));
    return {"card " + options.card + " is denied: it gets no new operation",
            {{"card", options.card}, {"denied", true}},
            exit_code::done};
}

Report undeny(const Options& options)
{
    Office(options, Signing::no).undeny(workplace::card_id(options.card));
    return {"card " + options.card + " is no longer denied",
            {{"card", options.card}, {"denied", false}},
            exit_code::done};
}

Report status(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    const auto& issuer = platform->issuer();
    std::vector<std::vector<std::string>> rows = {{"card", "state", "operations", "balance", ""}};
    Json cards = Json::array(), pending = Json::array(), evidence = Json::array();
    for (const auto& card : platform->cards().value()) {
        const auto note = card.denied ? "denied" : card.issued ? "" : "being issued";
        rows.push_back({card.card_id.to_string(), name(card.state), std::to_string(card.settled),
                        to_string(card.balance, issuer.currency), note});
        cards.push_back({{"card", card.card_id.to_string()},
                         {"state", name(card.state)},
                         {"settled", card.settled},
                         {"balance", amount_json(card.balance, issuer.currency)},
                         {"denied", card.denied},
                         {"issued", card.issued}});
    }
    auto text = issuer.origin + "\n" + table(rows);
    for (const auto& first : platform->pending().value()) {
        text += "\npending: " + describe(first.operation, issuer.currency) + ", card " +
                first.operation.card_id.to_string() + ", sequence " +
                std::to_string(first.operation.sequence);
        pending.push_back(to_json(first.operation, issuer.currency));
    }
    for (const auto& row : platform->evidence().value()) {
        text += std::string("\nevidence: ") + name(row.reason) + ", card " +
                row.receipt.result.card_id.to_string();
        evidence.push_back(
            {{"reason", name(row.reason)}, {"receipt", to_hex(row.receipt.encode())}});
    }
    return {
        text, {{"cards", cards}, {"pending", pending}, {"evidence", evidence}}, exit_code::done};
}

}  // namespace

void add_issuer_commands(Program& program)
{
    auto& options = program.options;
    auto& issuer = *program.app.add_subcommand("issuer", "The issuer's keys and books");
    issuer.require_subcommand(1);
    auto& make = program.command(issuer, "init", "Make keys, store and public description", init);
    with::issuer(make, options);
    with::passphrase(make, options);
    make.add_option("--name", options.origin, "Name of the issuer, as in checkpoints: example.org")
        ->required();
    make.add_option("--unit", options.unit, "Unit: EUR, 978, or 0x8000 to 0xFFFF for your own")
        ->capture_default_str();
    make.add_option("--exponent", options.exponent, "Decimals of the unit")
        ->check(CLI::Range(0, 18))
        ->capture_default_str();
    with::issuer(
        program.command(issuer, "status", "Show cards, pending operations, evidence", status),
        options);

    auto& denial = program.command(issuer, "deny", "Put a card on the deny list", deny);
    auto& pardon = program.command(issuer, "undeny", "Take a card off the deny list", undeny);
    for (auto* command : {&denial, &pardon}) {
        with::issuer(*command, options);
        command->add_option("card", options.card, "Card id, 32 hex digits")->required();
    }

    auto& new_card = program.command("issue", "Make a blank card one of this issuer's", issue);
    with::issuer(new_card, options);
    with::passphrase(new_card, options);
    with::reader(new_card, options);
    new_card
        .add_option("--transport-key-file", options.transport_key_file,
                    "The blank card's transport key, as hex in a file")
        ->required();
    new_card.add_option("--card-root-file", options.card_root_file,
                        "The card root key; default: card-root.key in the issuer's folder");
    new_card.add_option("--card", options.card, "Card id, 32 hex digits; default: a random one");
    new_card.add_option("--pin-fd", options.pin_fd, "Read the PIN from this file descriptor");
    new_card.add_flag("--without-pin", options.without_pin, "Issue a card that has no PIN");
    new_card.add_flag("--private-balance", options.private_balance, "Balance only after the PIN");
    limits_options::add(new_card, options);

    auto& list = program.command("accounts", "Show the books", accounts);
    with::issuer(list, options);
    auto& open = program.command(list, "open", "Open an account", open_account);
    open.add_option("account", options.account, "Its name: 1 to 34 printable characters")
        ->required();
}
