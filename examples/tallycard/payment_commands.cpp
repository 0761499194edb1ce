// SPDX-License-Identifier: Apache-2.0
// pay and settle: the card alone, offline, and the issuer later.
#include <tallycard/offline_issuer.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "journal_report.hpp"
#include "office.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::Signing;

namespace {

// The card has signed, and the journal could not keep it: the receipt must not be lost.
Report not_kept(Report paid, const Error& error)
{
    paid.exit = exit_code::in_doubt;
    paid.text += "\nbut " + error.message() +
                 "\nKeep this receipt, or run 'tallycard resolve' with the card, which settles "
                 "it: " +
                 paid.json["receipt"].get<std::string>();
    paid.json["stored"] = false;
    return paid;
}

// The card alone; what it signed is in the journal for 'settle'.
Report pay(const Options& options)
{
    const auto issuer = workplace::issuer(options);
    const auto id = workplace::operation_id(options);
    const auto amount = parse_amount(options.amount, issuer.currency).value();
    const auto payee =
        workplace::account(options.account, "--to (1 to 34 printable characters, no space)");
    const auto desk = workplace::desk(options);
    const auto journal = workplace::journal(options);
    OfflineIssuer nobody;
    Terminal terminal(nobody, workplace::terminal_settings(options, issuer, journal.get()));
    workplace::Pin pin(options);
    const auto asked = options.id.empty() ? Asked::first_time : Asked::again;
    const auto outcome = terminal.pay(*desk.card, id, amount, payee, pin.of(*desk.card), asked);
    auto report = report_of(outcome, id, issuer.currency);
    const auto* applied = std::get_if<Applied>(&outcome);
    if (applied == nullptr || !applied->not_kept) return report;
    return not_kept(std::move(report), *applied->not_kept);
}

Report settle(const Options& options)
{
    workplace::Office office(options, Signing::no);
    const auto& issuer = office.issuer();
    const auto journal = workplace::journal(options);
    Terminal terminal(office.client(),
                      workplace::terminal_settings(options, issuer, journal.get()));
    auto report = report_of(terminal.drain(), issuer.currency);
    if (report.text.empty()) report.text = "nothing to settle";
    return report;
}

}  // namespace

void add_payment_commands(Program& program)
{
    auto& options = program.options;
    auto& command = program.command("pay", "Pay from the card, offline; settle later", pay);
    with::amount(command, options);
    command.add_option("--to", options.account, "Account of the payee")->required();
    with::issuer(command, options);
    with::reader(command, options);
    with::operation(command, options);
    with::pin(command, options);
    with::journal(command, options);

    auto& settled = program.command(
        "settle", "Settle what the journal holds, as far as no card is needed", settle);
    with::issuer(settled, options);
    with::journal(settled, options);
}
