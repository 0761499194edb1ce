// SPDX-License-Identifier: Apache-2.0
// pay and settle: the card alone, offline, and the issuer later.
#include <algorithm>

#include <tallycard/offline_issuer.hpp>
#include <tallycard/payment_journal.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "office.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::Desk;
using workplace::Signing;

namespace {

// The card has signed, and the journal could not keep it: the receipt must not be lost.
Report not_stored(const Report& paid, const Error& error)
{
    auto report = paid;
    report.exit = exit_code::in_doubt;
    report.text += "\nbut " + error.message() +
                   "\nKeep this receipt, or run 'tallycard resolve' with "
                   "the card, which settles it: " +
                   paid.json["receipt"].get<std::string>();
    report.json["stored"] = false;
    return report;
}

Report pay_and_store(const Options& options, PaymentJournal& journal, const Desk& desk,
                     Terminal& terminal, const PaymentIntent& intent, const Currency& currency)
{
    workplace::Pin pin(options);
    const auto asked = options.id.empty() ? Asked::first_time : Asked::again;
    const auto outcome =
        terminal.pay(*desk.card, intent.id, intent.amount, intent.payee, pin.of(*desk.card), asked);
    auto report = report_of(outcome, intent.id, currency);
    if (std::holds_alternative<NotApplied>(outcome)) journal.close(intent.id).value();
    const auto* applied = std::get_if<Applied>(&outcome);
    if (applied == nullptr) return report;
    const auto stored = journal.paid(intent.id, applied->operation, applied->receipt);
    return stored ? report : not_stored(report, stored.error());
}

// The card alone; what it signed is stored for 'settle'.
Report pay(const Options& options)
{
    const auto issuer = workplace::issuer(options);
    const auto id = workplace::operation_id(options);
    const auto amount = parse_amount(options.amount, issuer.currency).value();
    const auto payee = workplace::account(options.account, "--to");
    const auto journal = PaymentJournal::open(options.journal).value();
    const auto desk = workplace::desk(options);
    OfflineIssuer nobody;
    Terminal terminal(nobody, workplace::terminal_settings(options, issuer));
    const PaymentIntent intent{id, terminal.identify(*desk.card).value().card_id, amount, payee};
    journal->intend(intent).value();

    for (const auto& known : journal->payments()) {
        if (known.intent.id == id && known.receipt) {  // asked again, and it had been paid
            return report_of(Applied{*known.operation, *known.receipt, std::nullopt}, id,
                             issuer.currency);
        }
    }
    return pay_and_store(options, *journal, desk, terminal, intent, issuer.currency);
}

Report settle_one(workplace::Office& office, PaymentJournal& journal, const JournalPayment& payment)
{
    const auto& currency = office.issuer().currency;
    const auto id = payment.intent.id.to_string();
    if (!payment.receipt) {
        return {"payment " + id + ": in doubt; present the card and run 'tallycard pay' with --id",
                {{"id", id}, {"outcome", "in_doubt"}},
                exit_code::in_doubt};
    }
    const auto settlement = office.client().settle(*payment.receipt, payment.operation);
    if (!settlement) {
        auto report = report_of(settlement.error());
        report.json["id"] = id;
        return report;
    }
    const auto text = describe(*payment.operation, currency);
    if (!settlement->settled) {
        return {text +
                    ": kept until the operations before it have come; present the card and run "
                    "'tallycard resolve'",
                {{"id", id}, {"outcome", "kept"}},
                exit_code::done};
    }
    journal.close(payment.intent.id).value();
    return {text + ": settled, ledger entry " + std::to_string(settlement->ledger_index),
            {{"id", id},
             {"outcome", "settled"},
             {"operation", to_json(*payment.operation, currency)},
             {"ledger_entry", settlement->ledger_index}},
            exit_code::done};
}

Report settle(const Options& options)
{
    workplace::Office office(options, Signing::no);
    const auto journal = PaymentJournal::open(options.journal).value();
    Report all{"", {{"payments", Json::array()}}, exit_code::done};
    const auto payments = journal->payments();  // a copy: closing changes it
    for (const auto& payment : payments) {
        if (payment.closed) continue;
        const auto one = settle_one(office, *journal, payment);
        all.text += (all.text.empty() ? "" : "\n") + one.text;
        all.json["payments"].push_back(one.json);
        all.exit = std::max(all.exit, one.exit);
    }
    if (all.text.empty()) all.text = "nothing to settle";
    return all;
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

    auto& settled = program.command("settle", "Settle the payments of the journal", settle);
    with::issuer(settled, options);
    with::journal(settled, options);
}
