// SPDX-License-Identifier: Apache-2.0
// top-up, cash-out, transfer, execute, resolve, void: what moves value with the issuer, and what
// mends it.
#include <charconv>

#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "journal_report.hpp"
#include "keys.hpp"
#include "office.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::Signing;

namespace {

// One online operation: everything that every such command opens. What asks people for something
// comes first, the journal last: it is for one process at a time.
class Counter {
public:
    explicit Counter(const Options& options)
        : office(options, Signing::yes),
          currency(office.issuer().currency),
          id(workplace::operation_id(options)),
          pin(options),
          options_(options)
    {
    }
    Amount amount() const { return parse_amount(options_.amount, currency).value(); }
    Terminal& terminal()
    {
        if (!journal_) {
            journal_ = workplace::journal(options_);
            terminal_.emplace(office.client(), workplace::terminal_settings(
                                                   options_, office.issuer(), journal_.get()));
        }
        return *terminal_;
    }
    const OperationJournal& journal()
    {
        terminal();
        return *journal_;
    }
    Report report(const Outcome& outcome) const { return report_of(outcome, id, currency); }

    workplace::Office office;
    Currency currency;
    OperationId id;
    workplace::Pin pin;

private:
    const Options& options_;
    std::unique_ptr<OperationJournal> journal_;
    std::optional<Terminal> terminal_;
};

Report top_up(const Options& options)
{
    Counter counter(options);
    const auto amount = counter.amount();
    const auto desk = workplace::desk(options);
    return counter.report(counter.terminal().top_up(*desk.card, counter.id, amount));
}

Report cash_out(const Options& options)
{
    Counter counter(options);
    const auto amount = counter.amount();
    const auto desk = workplace::desk(options);
    const auto pin = counter.pin.of(*desk.card);
    return counter.report(counter.terminal().cash_out(*desk.card, counter.id, amount, pin));
}

Report card_to_card(const Options& options)
{
    Counter counter(options);
    const auto amount = counter.amount();
    const auto from = workplace::desk(options);
    const auto to = workplace::desk(options, options.second_reader);
    const auto receiver = counter.terminal().identify(*to.card).value().card_id;
    if (!options.receiver.empty() && workplace::card_id(options.receiver) != receiver)
        return report_of(Error{.code = Errc::wrong_card, .where = "the card in --to-reader"});
    std::fprintf(stderr, "to card %s\n", receiver.to_string().c_str());
    workplace::Pin receiver_pin(options.ask_receiver_pin, options.receiver_pin_fd,
                                "PIN of the receiving card");
    const auto given_there = receiver_pin.of(*to.card);
    const auto pin = counter.pin.of(*from.card);
    const auto both = counter.terminal().card_to_card(*from.card, *to.card, counter.id, amount, pin,
                                                      given_there, receiver);
    auto out = counter.report(both.out);
    if (!both.in) return out;
    const auto in = counter.report(*both.in);
    auto waits = in;
    if (in.exit != exit_code::done) {
        waits.text +=
            "\nThe value has left the first card and waits in the second one's holder "
            "account: run the same command again with --id " +
            counter.id.to_string() + ", or 'tallycard resolve' with the second card";
    }
    return {out.text + "\n" + waits.text,
            {{"outcome", in.exit == exit_code::done ? "applied" : "in_doubt"},
             {"id", counter.id.to_string()},
             {"out", out.json},
             {"in", in.json}},
            in.exit == exit_code::done ? exit_code::done : exit_code::in_doubt};
}

// The key of the account that gives, where it is not the card's own.
std::unique_ptr<AccountSigner> owner_of_account(const Options& options)
{
    if (options.account_key.empty()) return nullptr;
    keys::Secrets secrets(options);
    return keys::open_account_key(options.account_key, secrets);
}

// "CARD:SEQUENCE"
PaymentName payment_name(const std::string& text)
{
    const auto colon = text.find(':');
    const auto card = CardId::parse(std::string_view(text).substr(0, colon));
    PaymentName payment;
    const auto number =
        colon == std::string::npos ? std::string_view() : std::string_view(text).substr(colon + 1);
    const auto read =
        std::from_chars(number.data(), number.data() + number.size(), payment.sequence);
    if (!card || number.empty() || read.ec != std::errc() ||
        read.ptr != number.data() + number.size())
        raise(Error{.code = Errc::malformed, .where = "--payment (CARD:SEQUENCE)"});
    payment.card_id = *card;
    return payment;
}

Report refund(const Options& options)
{
    Counter counter(options);
    const auto amount = counter.amount();
    const auto account =
        workplace::account(options.account, "--from (1 to 34 printable characters, no space)");
    const auto payment = payment_name(options.payment);
    const auto owner = owner_of_account(options);
    const auto desk = workplace::desk(options);
    return counter.report(
        counter.terminal().refund(*desk.card, counter.id, amount, account, *owner, payment));
}

Report transfer(const Options& options)
{
    if (!options.second_reader.empty()) return card_to_card(options);
    Counter counter(options);
    const auto amount = counter.amount();
    const auto account =
        workplace::account(options.account, "account (1 to 34 printable characters, no space)");
    const auto desk = workplace::desk(options);
    if (options.from_account) {
        const auto owner = owner_of_account(options);
        return counter.report(
            counter.terminal().transfer_in(*desk.card, counter.id, amount, account, owner.get()));
    }
    const auto pin = counter.pin.of(*desk.card);
    return counter.report(
        counter.terminal().transfer_out(*desk.card, counter.id, amount, account, pin));
}

Report resolution_report(const Result<Resolution>& resolved)
{
    if (!resolved) return report_of(resolved.error());
    const auto& standing = resolved->standing;
    const auto count = [](std::size_t n) { return std::to_string(n); };
    return {"card " + standing.card_id.to_string() + ": " + count(resolved->settled) +
                " settled, " + count(resolved->delivered) + " delivered, " +
                count(resolved->voided) + " voided" +
                (resolved->of_another_terminal ? " (asked for at another terminal)" : "") +
                "; balance " + to_string(standing.balance, standing.currency),
            {{"card", standing.card_id.to_string()},
             {"settled", resolved->settled},
             {"delivered", resolved->delivered},
             {"voided", resolved->voided},
             {"of_another_terminal", resolved->of_another_terminal},
             {"balance", amount_json(standing.balance, standing.currency)},
             {"sequence", standing.settled}},
            exit_code::done};
}

// The oldest debit that this terminal's journal holds open for the card: what a PIN would be for.
std::optional<JournalIntent> open_debit(const OperationJournal& journal, const CardId& card_id)
{
    for (const auto& entry : journal.entries()) {
        const auto& intent = entry.intent;
        if (entry.is_open() && !entry.receipt && intent.card_id == card_id &&
            is_debit(intent.kind) && intent.kind != Kind::payment)
            return intent;
    }
    return std::nullopt;
}

// The card first, then what the journal holds.
Report with_journal(const Result<Resolution>& resolved, const Result<std::vector<Drained>>& drained,
                    const Currency& currency)
{
    auto report = resolution_report(resolved);
    if (!resolved) return report;
    if (!drained) return report_of(drained.error());
    const auto journal = report_of(*drained, currency);
    if (!journal.text.empty()) report.text += "\n" + journal.text;
    report.json["operations"] = journal.json["operations"];
    report.exit = journal.exit;
    return report;
}

Report resolve(const Options& options)
{
    Counter counter(options);
    const auto desk = workplace::desk(options);
    auto& terminal = counter.terminal();
    // A PIN is given for an operation that its holder has been shown, and for no other.
    const auto card_id = terminal.identify(*desk.card).value().card_id;
    const auto debit = open_debit(counter.journal(), card_id);
    HolderPin pin;
    if (debit) {
        std::fprintf(stderr, "open for this card: %s\n",
                     describe_intent(*debit, counter.currency).c_str());
        pin = counter.pin.of(*desk.card);
    }
    // With its PIN before anything else, which would void it for want of one.
    std::optional<Result<std::vector<Drained>>> drained;
    if (pin.is_given()) drained = terminal.drain(*desk.card, pin);
    auto resolved = terminal.resolve(*desk.card);
    if (!resolved) return resolution_report(resolved);
    if (!drained) drained = terminal.drain(*desk.card);
    if (*drained && !(*drained)->empty()) {
        const auto after = counter.office.client().standing(resolved->standing.card_id, {});
        if (after) resolved->standing = *after;
    }
    return with_journal(resolved, *drained, counter.currency);
}

Report void_pending(const Options& options)
{
    Counter counter(options);
    const auto desk = workplace::desk(options);
    auto& terminal = counter.terminal();
    const auto resolved = terminal.void_pending(*desk.card);
    if (!resolved) return resolution_report(resolved);
    return with_journal(resolved, terminal.give_up(*desk.card), counter.currency);
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

}  // namespace

void add_value_commands(Program& program)
{
    auto& options = program.options;
    const auto online = [&](const char* name, const char* help,
                            std::function<Report(const Options&)> run) -> CLI::App& {
        auto& command = program.command(name, help, std::move(run));
        with::issuer(command, options);
        with::passphrase(command, options);
        with::operation_key(command, options);
        with::reader(command, options);
        with::operation(command, options);
        with::journal(command, options);
        return command;
    };

    with::amount(online("top-up", "Add value to the card, against cash", top_up), options);
    auto& out = online("cash-out", "Take value off the card, for cash", cash_out);
    with::amount(out, options);
    with::pin(out, options);

    auto& move = online("transfer", "Move value between the card and an account", transfer);
    with::amount(move, options);
    with::pin(move, options);
    auto& other = *move.add_option_group("The other side");
    other.add_option("--to", options.account, "From the card to this account");
    other.add_option_function<std::string>(
        "--from",
        [&options](const std::string& text) {
            options.account = text;
            options.from_account = true;
        },
        "From this account to the card");
    other.add_option("--to-reader", options.second_reader,
                     "From the card to the card in this other reader");
    other.require_option(1);
    move.add_option("--receiver", options.receiver,
                    "Only to the card with this id, 32 hex digits, with --to-reader");
    move.add_flag("--receiver-pin", options.ask_receiver_pin,
                  "Give the receiving card its PIN, which it needs where its balance is private");
    move.add_option("--receiver-pin-fd", options.receiver_pin_fd,
                    "Read that PIN from this file descriptor");

    with::account_key(move, options);

    auto& back = online("refund", "Give a payment back, or a part of it, to a card", refund);
    with::amount(back, options);
    back.add_option("--from", options.account, "The account that was paid")->required();
    back.add_option("--payment", options.payment,
                    "The payment: CARD:SEQUENCE, as its receipt names them")
        ->required();
    with::account_key(back, options);
    back.get_option("--account-key")->required();

    add_execute(program);
    with::pin(online("resolve",
                     "Make card and platform agree, and end what is pending, and what the journal "
                     "holds open for the card",
                     resolve),
              options);
    online("void", "End what is pending for the card without doing it", void_pending);
}
