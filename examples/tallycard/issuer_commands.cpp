// SPDX-License-Identifier: Apache-2.0
// issuer status and deny, issue, accounts.
#include <algorithm>

#include <tallycard/issuing.hpp>
#include <tallycard/result_error.hpp>
#include <tallycard/transport_key_file.hpp>

#include "commands.hpp"
#include "keys.hpp"
#include "limits_options.hpp"
#include "office.hpp"
#include "secret_input.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::IssuerFolder;
using workplace::Office;
using workplace::Signing;

namespace {

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
    keys::Secrets secrets(options);
    const auto root = keys::open_card_root(
        workplace::key_or(options.card_root, IssuerFolder(options.issuer).card_root_key(),
                          "card-root.key in the issuer's folder"),
        secrets);
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
        const auto balance =
            static_cast<std::int64_t>(row.balance.to_minor_units()) - row.recovered;
        add("card/" + row.card_id.to_string(), balance, 0);
    }
    rows.push_back({"sum", to_string(Amount::minor_units(sum), currency)});
    return {table(rows),
            {{"accounts", json}, {"sum", amount_json(Amount::minor_units(sum), currency)}},
            exit_code::done};
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

// How far new operation keys have come: a key that is in no card may be put away.
struct KeyUse {
    std::string text;
    Json json = Json::array();
};

KeyUse use_of_keys(const IssuerDescription& issuer, const std::vector<CardRow>& cards)
{
    KeyUse use;
    for (const auto& key : issuer.operation_keys) {
        const auto with_it = std::ranges::count(cards, key, &CardRow::operation_key);
        const bool newest = key == issuer.operation_keys.front();
        use.text += "\noperation key " + key.to_string() + ": in " +
                    counted(static_cast<std::uint64_t>(with_it), "card") +
                    (newest ? "; new cards get it" : "");
        use.json.push_back({{"key", key.to_string()}, {"cards", with_it}, {"newest", newest}});
    }
    return use;
}

Report status(const Options& options)
{
    const auto platform = workplace::platform(options, Signing::no);
    const auto& issuer = platform->issuer();
    std::vector<std::vector<std::string>> rows = {{"card", "state", "operations", "balance", ""}};
    Json cards = Json::array(), pending = Json::array(), evidence = Json::array();
    const auto all_cards = platform->cards().value();
    for (const auto& card : all_cards) {
        const auto note = card.denied ? "denied" : card.issued ? "" : "being issued";
        rows.push_back({card.card_id.to_string(), name(card.state), std::to_string(card.settled),
                        to_string(card.balance, issuer.currency), note});
        cards.push_back({{"card", card.card_id.to_string()},
                         {"state", name(card.state)},
                         {"settled", card.settled},
                         {"balance", amount_json(card.balance, issuer.currency)},
                         {"denied", card.denied},
                         {"issued", card.issued},
                         {"operation_key", card.operation_key.to_string()}});
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
    Json kept = Json::array();
    for (const auto& card : all_cards) {
        for (const auto& row : platform->kept(card.card_id).value()) {
            text += "\nkept: " + describe(row.executed.operation, issuer.currency) + ", card " +
                    card.card_id.to_string() + ", sequence " +
                    std::to_string(row.receipt.result.sequence) + ", since " + utc(row.since);
            kept.push_back({{"operation", to_json(row.executed.operation, issuer.currency)},
                            {"terminal", std::string(row.terminal.text())},
                            {"since", utc(row.since)}});
        }
    }
    const auto use = use_of_keys(issuer, all_cards);
    return {text + use.text,
            {{"cards", cards},
             {"operation_keys", use.json},
             {"pending", pending},
             {"evidence", evidence},
             {"kept", kept}},
            exit_code::done};
}

}  // namespace

void add_issuer_commands(Program& program)
{
    auto& options = program.options;
    auto& issuer = *program.app.add_subcommand("issuer", "The issuer's keys and books");
    issuer.require_subcommand(1);
    add_key_commands(program, issuer);
    add_account_commands(program, issuer);
    with::issuer(program.command(issuer, "status",
                                 "Show cards, pending operations, evidence, kept receipts", status),
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
    with::card_root(new_card, options);
    with::reader(new_card, options);
    new_card
        .add_option("--transport-key-file", options.transport_key_file,
                    "The blank card's transport key, as hex in a file")
        ->required();
    new_card.add_option("--card", options.card, "Card id, 32 hex digits; default: a random one");
    new_card.add_option("--pin-fd", options.pin_fd, "Read the PIN from this file descriptor");
    new_card.add_flag("--without-pin", options.without_pin, "Issue a card that has no PIN");
    new_card.add_flag("--private-balance", options.private_balance, "Balance only after the PIN");
    limits_options::add(new_card, options);

    auto& list = program.command("accounts", "Show the books", accounts);
    with::issuer(list, options);
}
