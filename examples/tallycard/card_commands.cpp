// SPDX-License-Identifier: Apache-2.0
// What one card says of itself: info, balance, history; and its PIN.
#include <tallycard/card_session.hpp>
#include <tallycard/offline_issuer.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "secret_input.hpp"
#include "workplace.hpp"

using namespace tallycard;

namespace {

// A terminal that asks nobody but the card.
struct Booth {
    explicit Booth(const Options& options)
        : issuer(workplace::issuer(options)),
          desk(workplace::desk(options)),
          terminal(nobody, workplace::terminal_settings(options, issuer))
    {
    }
    IssuerDescription issuer;
    workplace::Desk desk;
    OfflineIssuer nobody;
    Terminal terminal;
};

std::string pin_text(const Result<std::optional<unsigned>>& tries)
{
    if (!tries) return tries.error().code == Errc::no_pin ? "none" : "blocked";
    return *tries ? std::to_string(**tries) + " tries left" : "verified";
}

std::vector<std::vector<std::string>> limit_rows(const LimitsUse& use, const Currency& currency)
{
    const auto& limits = use.limits;
    return {{"maximum balance", to_string(limits.maximum_balance, currency)},
            {"maximum amount", to_string(limits.maximum_amount, currency)},
            {"PIN needed above", to_string(limits.pin_above, currency)},
            {"offline payments", std::to_string(use.offline_payments) + " of " +
                                     std::to_string(limits.offline_payments) + " in a row, " +
                                     to_string(use.offline_total, currency) + " of " +
                                     to_string(limits.offline_total, currency)}};
}

Report info(const Options& options)
{
    const auto issuer = workplace::issuer(options);
    const auto desk = workplace::desk(options);
    auto session = CardSession::begin(*desk.card, issuer.card_root).value();
    const auto& card = session.info();
    if (card.state == CardState::blank)
        return {"a blank card: issue it first", {{"state", "blank"}}, exit_code::done};

    const auto& currency = card.currency;
    const auto tries = session.pin_tries_left();
    const auto use = session.limits().value();
    std::vector<std::vector<std::string>> rows = {
        {"card", card.card_id.to_string()},
        {"state", name(card.state)},
        {"unit", currency.unit.to_string()},
        {"balance", card.balance ? to_string(*card.balance, currency) : "private"},
        {"operations", std::to_string(card.sequence)},
        {"PIN", pin_text(tries)}};
    for (auto& row : limit_rows(use, currency)) rows.push_back(row);
    rows.push_back({"public key", session.public_key().to_string()});
    rows.push_back({"reader", desk.reader->name()});
    Json json;
    for (const auto& row : rows) json[row[0]] = row[1];
    return {table(rows), json, exit_code::done};
}

Report balance(const Options& options)
{
    Booth booth(options);
    workplace::Pin pin(options);
    const auto state = booth.terminal.state(*booth.desk.card, pin.of(*booth.desk.card)).value();
    const Currency currency{state.unit, booth.issuer.currency.exponent};
    return {to_string(state.balance, currency),
            {{"card", state.card_id.to_string()},
             {"state", name(state.state)},
             {"sequence", state.sequence},
             {"balance", amount_json(state.balance, currency)}},
            exit_code::done};
}

Report history(const Options& options)
{
    Booth booth(options);
    const auto& currency = booth.issuer.currency;
    Json entries = Json::array();
    std::vector<std::vector<std::string>> rows = {{"sequence", "operation", "balance after"}};
    for (const auto& entry : booth.terminal.history(*booth.desk.card).value()) {
        const auto& result = entry.receipt.result;
        rows.push_back({std::to_string(result.sequence),
                        describe(entry.executed.operation, currency),
                        to_string(result.balance, currency)});
        auto json = to_json(entry.executed.operation, currency);
        json["balance"] = amount_json(result.balance, currency);
        json["receipt"] = to_hex(entry.receipt.encode());
        entries.push_back(json);
    }
    return {entries.empty() ? "no operations yet" : table(rows),
            {{"history", entries}},
            exit_code::done};
}

// The card's answer alone tells if it waits for a PIN: else it says no more than that it has
// none.
Report set_pin(const Options& options)
{
    Booth booth(options);
    const auto new_pin = secret_input::new_pin("New PIN", options.new_pin_fd).value();
    const auto set = booth.terminal.set_pin(*booth.desk.card, new_pin);
    if (!set && set.error().code == Errc::not_in_this_state) {
        auto report = report_of(set.error());
        report.text += "; it waits for no PIN: 'open-pin' first, or 'pin' with the old one";
        return report;
    }
    if (!set) return report_of(set.error());
    return {"the PIN was set", {{"outcome", "applied"}}, exit_code::done};
}

// `typed_at` says whether this process has seen the PIN.
Report pin_changed(const char* typed_at)
{
    return {std::string("the PIN was changed, typed at the ") + typed_at,
            {{"outcome", "applied"}, {"typed_at", typed_at}},
            exit_code::done};
}

Report change_pin(const Options& options)
{
    Booth booth(options);
    const bool at_reader = !options.pin_fd && !options.new_pin_fd && booth.desk.card->has_pin_pad();
    if (at_reader) {
        std::fprintf(stderr, "type the old PIN, then the new one twice, at the reader\n");
        booth.terminal.change_pin_at_reader(*booth.desk.card).value();
        return pin_changed("reader");
    }
    const auto old_pin = secret_input::pin("PIN of the card", options.pin_fd).value();
    const auto new_pin = secret_input::new_pin("New PIN", options.new_pin_fd).value();
    booth.terminal.change_pin(*booth.desk.card, old_pin, new_pin).value();
    return pin_changed("terminal");
}

}  // namespace

void add_card_commands(Program& program)
{
    auto& options = program.options;
    const auto at_card = [&](const char* name, const char* help,
                             std::function<Report(const Options&)> run) -> CLI::App& {
        auto& command = program.command(name, help, std::move(run));
        with::issuer(command, options);
        with::reader(command, options);
        return command;
    };
    at_card("info", "Show what the card is and what it allows", info);
    with::pin(at_card("balance", "Show the balance, as the card signs it now", balance), options);
    at_card("history", "Show the last 16 operations of the card, receipts verified", history);
    auto& pin = at_card("pin", "Change the card's PIN", change_pin);
    pin.add_option("--pin-fd", options.pin_fd,
                   "Read the PIN from this descriptor (else the reader's keypad, else a prompt)");
    pin.add_option("--new-pin-fd", options.new_pin_fd, "Read the new PIN from this descriptor");
    at_card("set-pin", "Set a PIN after 'open-pin', which took the old one away", set_pin)
        .add_option("--new-pin-fd", options.new_pin_fd, "Read the new PIN from this descriptor");
}
