// SPDX-License-Identifier: Apache-2.0
// top-up, cash-out, transfer, pay, settle, resolve, void: what moves value, and what mends it.
#include <tallycard/offline_issuer.hpp>
#include <tallycard/payment_journal.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::Desk;
using workplace::Signing;

namespace {

// One online operation: everything that every such command opens.
class Counter {
public:
    explicit Counter(const Options& options)
        : platform(workplace::platform(options, Signing::yes)),
          currency(platform->issuer().currency),
          id(workplace::operation_id(options)),
          pin(workplace::pin(options)),
          terminal(*platform, workplace::terminal_settings(options, platform->issuer()))
    {
    }
    Amount amount(const Options& options) const
    {
        return parse_amount(options.amount, currency).value();
    }
    const PinBlock* pin_or_null() const { return pin ? &*pin : nullptr; }
    Report report(const Outcome& outcome) const { return report_of(outcome, id, currency); }

    std::unique_ptr<Platform> platform;
    Currency currency;
    OperationId id;
    std::optional<PinBlock> pin;
    Terminal terminal;
};

Report top_up(const Options& options)
{
    Counter counter(options);
    const auto amount = counter.amount(options);
    const auto desk = workplace::desk(options);
    return counter.report(counter.terminal.top_up(*desk.card, counter.id, amount));
}

Report cash_out(const Options& options)
{
    Counter counter(options);
    const auto amount = counter.amount(options);
    const auto desk = workplace::desk(options);
    return counter.report(
        counter.terminal.cash_out(*desk.card, counter.id, amount, counter.pin_or_null()));
}

Report card_to_card(const Options& options)
{
    Counter counter(options);
    const auto amount = counter.amount(options);
    const auto from = workplace::desk(options);
    const auto to = workplace::desk(options, options.second_reader);
    const auto both = counter.terminal.card_to_card(*from.card, *to.card, counter.id, amount,
                                                    counter.pin_or_null());
    auto out = counter.report(both.out);
    if (!both.in) return out;
    const auto in = counter.report(*both.in);
    auto waits = in;
    if (in.exit != exit_code::done) {
        waits.text +=
            "\nThe value has left the first card and waits in the second one's holder "
            "account: run the same command again with --id " +
            counter.id.to_string();
    }
    return {out.text + "\n" + waits.text,
            {{"outcome", in.exit == exit_code::done ? "applied" : "in_doubt"},
             {"id", counter.id.to_string()},
             {"out", out.json},
             {"in", in.json}},
            in.exit == exit_code::done ? exit_code::done : exit_code::in_doubt};
}

Report transfer(const Options& options)
{
    if (!options.second_reader.empty()) return card_to_card(options);
    if (options.account.empty()) {
        return report_of(
            Error{.code = Errc::malformed, .where = "transfer (give --to, --from or --to-reader)"});
    }
    Counter counter(options);
    const auto amount = counter.amount(options);
    const auto account = workplace::account(options.account, "account");
    const auto desk = workplace::desk(options);
    auto& terminal = counter.terminal;
    return counter.report(options.from_account
                              ? terminal.transfer_in(*desk.card, counter.id, amount, account)
                              : terminal.transfer_out(*desk.card, counter.id, amount, account,
                                                      counter.pin_or_null()));
}

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
    const auto pin = workplace::pin(options);
    const auto asked = options.id.empty() ? Asked::first_time : Asked::again;
    const auto outcome = terminal.pay(*desk.card, intent.id, intent.amount, intent.payee,
                                      pin ? &*pin : nullptr, asked);
    const auto report = report_of(outcome, intent.id, currency);
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

Report settle_one(Platform& platform, PaymentJournal& journal, const JournalPayment& payment)
{
    const auto& currency = platform.issuer().currency;
    const auto id = payment.intent.id.to_string();
    if (!payment.receipt) {
        return {"payment " + id + ": in doubt; present the card and run 'tallycard pay' with --id",
                {{"id", id}, {"outcome", "in_doubt"}},
                exit_code::in_doubt};
    }
    const auto settlement = platform.settle(*payment.receipt, payment.operation);
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
    const auto platform = workplace::platform(options, Signing::no);
    const auto journal = PaymentJournal::open(options.journal).value();
    Report all{"", {{"payments", Json::array()}}, exit_code::done};
    const auto payments = journal->payments();  // a copy: closing changes it
    for (const auto& payment : payments) {
        if (payment.closed) continue;
        const auto one = settle_one(*platform, *journal, payment);
        all.text += (all.text.empty() ? "" : "\n") + one.text;
        all.json["payments"].push_back(one.json);
        all.exit = std::max(all.exit, one.exit);
    }
    if (all.text.empty()) all.text = "nothing to settle";
    return all;
}

Report resolution_report(const Result<Resolution>& resolved)
{
    if (!resolved) return report_of(resolved.error());
    const auto& standing = resolved->standing;
    const auto count = [](std::size_t n) { return std::to_string(n); };
    return {"card " + standing.card_id.to_string() + ": " + count(resolved->settled) +
                " settled, " + count(resolved->delivered) + " delivered, " +
                count(resolved->voided) + " voided; balance " +
                to_string(standing.balance, standing.currency),
            {{"card", standing.card_id.to_string()},
             {"settled", resolved->settled},
             {"delivered", resolved->delivered},
             {"voided", resolved->voided},
             {"balance", amount_json(standing.balance, standing.currency)},
             {"sequence", standing.settled}},
            exit_code::done};
}

Report resolve(const Options& options)
{
    Counter counter(options);
    const auto desk = workplace::desk(options);
    return resolution_report(counter.terminal.resolve(*desk.card));
}

Report void_pending(const Options& options)
{
    Counter counter(options);
    const auto desk = workplace::desk(options);
    return resolution_report(counter.terminal.void_pending(*desk.card));
}

// Gives the card a first instruction that was signed before: what it has executed it answers again.
Report execute(const Options& options)
{
    std::vector<std::uint8_t> bytes(options.instruction.size() / 2);
    if (!detail::from_hex(options.instruction, bytes))
        return report_of(Error{.code = Errc::malformed, .where = "instruction (lower-case hex)"});
    const auto first = FirstInstruction::decode(bytes).value();
    const auto issuer = workplace::issuer(options);
    const auto desk = workplace::desk(options);
    auto session = CardSession::begin(*desk.card, issuer.card_root).value();
    const auto receipt = session.execute(first).value();
    const auto hex = to_hex(receipt.encode());
    return {describe(first.operation, issuer.currency) + ": the card's receipt is " + hex,
            {{"outcome", "applied"},
             {"operation", to_json(first.operation, issuer.currency)},
             {"balance", amount_json(receipt.result.balance, issuer.currency)},
             {"receipt", hex}},
            exit_code::done};
}

void add_execute(Program& program)
{
    auto& options = program.options;
    auto& command = program.command(
        "execute", "Give the card a signed first instruction, perhaps once more", execute);
    command
        .add_option("instruction", options.instruction,
                    "Operation and issuer signature in hex, as 'ledger prove --json' shows them")
        ->required();
    with::issuer(command, options);
    with::reader(command, options);
}

void add_pay(Program& program)
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
}

}  // namespace

void add_value_commands(Program& program)
{
    auto& options = program.options;
    const auto online = [&](const char* name, const char* help,
                            std::function<Report(const Options&)> run) -> CLI::App& {
        auto& command = program.command(name, help, std::move(run));
        with::issuer(command, options);
        with::passphrase(command, options);
        with::reader(command, options);
        with::operation(command, options);
        return command;
    };

    with::amount(online("top-up", "Add value to the card, against cash", top_up), options);
    auto& out = online("cash-out", "Take value off the card, for cash", cash_out);
    with::amount(out, options);
    with::pin(out, options);

    auto& move = online("transfer", "Move value between the card and an account", transfer);
    with::amount(move, options);
    with::pin(move, options);
    auto* to = move.add_option("--to", options.account, "From the card to this account");
    auto* from = move.add_option_function<std::string>(
        "--from",
        [&options](const std::string& text) {
            options.account = text;
            options.from_account = true;
        },
        "From this account to the card");
    auto* second = move.add_option("--to-reader", options.second_reader,
                                   "From the card to the card in this other reader");
    to->excludes(from)->excludes(second);
    from->excludes(second);

    add_pay(program);
    add_execute(program);
    auto& settled = program.command("settle", "Settle the payments of the journal", settle);
    with::issuer(settled, options);
    with::journal(settled, options);

    online("resolve", "Make card and platform agree, and end what is pending", resolve);
    online("void", "End what is pending for the card without doing it", void_pending);
}
