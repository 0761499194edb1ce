// SPDX-License-Identifier: Apache-2.0
// What the issuer does to a card that moves no value.
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "limits_options.hpp"
#include "office.hpp"
#include "workplace.hpp"

using namespace tallycard;

namespace {

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
        if (entry.kind == Kind::set_limits) limits_options::add(command, program.options);
    }
}
