// SPDX-License-Identifier: Apache-2.0
// What the issuer does to a card that moves no value.
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "limits_options.hpp"
#include "office.hpp"
#include "workplace.hpp"

using namespace tallycard;

namespace {

// The value that would be lost with the card, where there is some.
std::optional<Balance> at_stake(Terminal& terminal, IssuerClient& issuer, CardLink& card)
{
    const auto info = terminal.identify(card).value();
    if (info.state == CardState::terminated) return std::nullopt;
    const auto balance =
        info.balance ? *info.balance : issuer.standing(info.card_id, std::nullopt).value().balance;
    return balance > Balance{} ? std::optional(balance) : std::nullopt;
}

Report administer(const Options& options, Kind kind)
{
    workplace::Office office(options, workplace::Signing::yes);
    const auto& issuer = office.issuer();
    Parameter parameter;
    if (kind == Kind::set_limits) parameter = limits_options::parse(options, issuer.currency);
    const auto id = workplace::operation_id(options);
    const auto desk = workplace::desk(options);
    const auto journal = workplace::journal(options);
    Terminal terminal(office.client(),
                      workplace::terminal_settings(options, issuer, journal.get()));
    if (kind == Kind::terminate && !options.forfeit) {
        if (const auto balance = at_stake(terminal, office.client(), *desk.card)) {
            const auto text = to_string(*balance, issuer.currency);
            return {
                "the card holds " + text + ": cash it out first, or --forfeit ends it with that",
                {{"outcome", "not_applied"}, {"balance", amount_json(*balance, issuer.currency)}},
                exit_code::refused};
        }
    }
    return report_of(terminal.administer(*desk.card, id, kind, parameter), id, issuer.currency);
}

}  // namespace

void add_administration_commands(Program& program)
{
    struct Entry {
        const char* name;
        const char* help;
        Kind kind;
    };
    for (const auto& entry :
         {Entry{"block", "Block the card: it moves no value until it is unblocked", Kind::block},
          Entry{"unblock", "Unblock the card", Kind::unblock},
          Entry{"reset-pin", "Give the card its three PIN tries back", Kind::reset_pin_tries},
          Entry{"open-pin",
                "Take the card's PIN away, whose holder forgot it, and let 'set-pin' set another",
                Kind::open_pin},
          Entry{"set-limits", "Replace the card's limits", Kind::set_limits},
          Entry{"terminate", "End the card's life, for good", Kind::terminate}}) {
        auto& command = program.command(
            entry.name, entry.help,
            [kind = entry.kind](const Options& options) { return administer(options, kind); });
        with::issuer(command, program.options);
        with::passphrase(command, program.options);
        with::operation_key(command, program.options);
        with::reader(command, program.options);
        with::operation(command, program.options);
        with::journal(command, program.options);
        if (entry.kind == Kind::terminate) {
            command.add_flag("--forfeit", program.options.forfeit,
                             "End it though it holds value, which its holder loses");
        }
        if (entry.kind == Kind::set_limits) limits_options::add(command, program.options);
    }
}
