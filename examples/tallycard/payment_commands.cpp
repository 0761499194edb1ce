// SPDX-License-Identifier: Apache-2.0
// pay and settle: the card alone, offline, and the issuer later.
#include <algorithm>

#include <tallycard/offline_issuer.hpp>
#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "deny_list_file.hpp"
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

// A payment of this card to this payee whose end nobody knew, and that the card turned out to have
// made: perhaps the very one that is asked for now. Payments that are open for the card end first.
std::optional<Report> made_before(Terminal& terminal, CardLink& card,
                                  const OperationJournal& journal, const JournalIntent& wanted,
                                  const Currency& currency)
{
    const auto card_id = terminal.identify(card).value().card_id;
    const auto in_doubt = [&](const JournalEntry& entry) {
        return entry.intent.card_id == card_id && entry.intent.kind == Kind::payment &&
               entry.is_open() && !entry.receipt && entry.intent.id != wanted.id;
    };
    if (std::ranges::none_of(journal.entries(), in_doubt)) return std::nullopt;
    std::vector<OperationId> open;
    for (const auto& entry : journal.entries())
        if (in_doubt(entry)) open.push_back(entry.intent.id);
    (void)terminal.drain(card).value();
    std::optional<Report> made;
    for (const auto& id : open) {
        const auto& entry = *journal.find(id);
        const auto text = describe_intent(entry.intent, currency);
        const bool happened = entry.receipt.has_value();
        std::fprintf(stderr, "in doubt before: %s: %s\n", text.c_str(),
                     happened ? "it was made" : "it was not made");
        const bool same =
            entry.intent.amount == wanted.amount && entry.intent.account == wanted.account;
        if (!happened || !same) continue;
        made =
            Report{text + ": was made before, and nothing is charged now; --another pays once more",
                   {{"outcome", "not_applied"}, {"made_before", id.to_string()}},
                   exit_code::refused};
    }
    return made;
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
    auto settings = workplace::terminal_settings(options, issuer, journal.get());
    const auto denied = deny_list_file::current(options, issuer);
    if (denied) settings.deny_list = &denied->list;
    Terminal terminal(nobody, settings);
    if (options.id.empty()) {
        const JournalIntent wanted{
            .id = id, .card_id = {}, .kind = Kind::payment, .amount = -amount, .account = payee};
        const auto made = made_before(terminal, *desk.card, *journal, wanted, issuer.currency);
        if (made && !options.another) return *made;
    }
    workplace::Pin pin(options);
    std::optional<Reference> reference;
    if (!options.reference.empty()) {
        reference = Reference::parse(options.reference);
        if (!reference) {
            return report_of(
                Error{.code = Errc::malformed,
                      .where = "--reference (1 to 64 bytes of text without control characters)"});
        }
    }
    const auto asked = options.id.empty() ? Asked::first_time : Asked::again;
    const auto outcome =
        terminal.pay(*desk.card, id, amount, payee, pin.of(*desk.card), asked, reference);
    auto report = report_of(outcome, id, issuer.currency);
    if (denied) deny_list_file::report_age(report, *denied);
    const auto* applied = std::get_if<Applied>(&outcome);
    if (applied == nullptr || !applied->not_kept) return report;
    return not_kept(std::move(report), *applied->not_kept);
}

Report fetch_deny_list(const Options& options)
{
    workplace::Office office(options, Signing::no);
    const auto found = deny_list_file::fetch(options, office);
    return {counted(found.list.denied().size(), "card") + " denied, " +
                counted(found.list.lines(), "line") + ", as of " + utc(found.head.time),
            {{"file", options.file},
             {"lines", found.list.lines()},
             {"denied", found.list.denied().size()},
             {"time", utc(found.head.time)}},
            exit_code::done};
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
    command.add_option("--reference", options.reference,
                       "Of the merchant: an order number, shown in statements; 1 to 64 bytes");
    with::issuer(command, options);
    with::reader(command, options);
    with::operation(command, options);
    with::pin(command, options);
    with::journal(command, options);

    command.add_flag("--another", options.another,
                     "Pay once more, though the same payment was in doubt and was made");
    command.add_option("--deny-list", options.deny_list,
                       "Refuse the cards in this file, which 'deny-list' fetches");
    command
        .add_option("--deny-list-max-age", options.deny_list_hours,
                    "Refuse to go on with a deny list older than so many hours")
        ->needs("--deny-list");

    auto& list =
        program.command("deny-list", "Fetch the deny list, for 'pay --deny-list'", fetch_deny_list);
    list.add_option("file", options.file, "Where to; only what is new is fetched")->required();
    with::issuer(list, options);
    with::passphrase(list, options);
    with::checkpoint_key(list, options);

    auto& settled = program.command(
        "settle", "Settle what the journal holds, as far as no card is needed", settle);
    with::issuer(settled, options);
    with::journal(settled, options);
}
