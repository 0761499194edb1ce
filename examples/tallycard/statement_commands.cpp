// SPDX-License-Identifier: Apache-2.0
// statement, day: what happened, where and when.
#include <algorithm>
#include <map>

#include <tallycard/result_error.hpp>

#include "commands.hpp"
#include "office.hpp"
#include "statement_report.hpp"
#include "workplace.hpp"

using namespace tallycard;
using workplace::Office;
using workplace::Signing;

namespace {

[[noreturn]] void refuse(const char* what)
{
    raise(Error{.code = Errc::malformed, .where = what});
}

std::optional<Time> time_of(const std::string& text, bool local, const char* what)
{
    if (text.empty()) return std::nullopt;
    const auto time = statement::parse_time(text, local);
    if (!time) refuse(what);
    return time;
}

std::optional<Amount> amount_of(const std::string& text, const Currency& currency)
{
    if (text.empty()) return std::nullopt;
    return parse_amount(text, currency).value();
}

// The account that the options name: "SHOP-1", "card/ID", "cash/TERMINAL", "outside/NAME".
AccountName account_named(const std::string& text)
{
    constexpr auto rule = "account (NAME, card/ID, cash/TERMINAL or outside/NAME)";
    const auto slash = text.find('/');
    const auto kind = text.substr(0, slash);
    if (slash == std::string::npos) return associated_account(workplace::account(text, rule));
    const auto rest = text.substr(slash + 1);
    if (kind == "card") return card_account(workplace::card_id(rest));
    if (kind == "cash") return cash_account(workplace::account(rest, rule));
    if (kind == "outside") return outside_account(workplace::account(rest, rule));
    if (kind == "account") return associated_account(workplace::account(rest, rule));
    return associated_account(workplace::account(text, rule));  // a name with a slash of its own
}

// True for the name of a kind of entries, and for none.
bool is_kind(const std::string& text)
{
    if (text.empty() || text == "gap" || order_kind_from_name(text)) return true;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const auto kind = kind_from_byte(static_cast<std::uint8_t>(byte));
        if (kind && text == name(*kind)) return true;
    }
    return false;
}

// All pages, or so many rows where the options say so.
std::vector<LedgerRow> rows_of(Office& office, StatementQuery query, std::size_t most)
{
    std::vector<LedgerRow> rows;
    for (;;) {
        query.limit = std::min<std::size_t>(most - rows.size(), 1000);
        auto page = office.statement(query);
        std::ranges::move(page.rows, std::back_inserter(rows));
        if (!page.next || rows.size() >= most) return rows;
        query.from = *page.next;
    }
}

Report print_as(const Options& options, const std::vector<LedgerRow>& rows,
                const statement::View& view)
{
    if (options.format == "csv") return {statement::as_csv(rows, view), {}, exit_code::done};
    if (options.format == "hledger")
        return {statement::as_hledger(rows, view), {}, exit_code::done};
    Json entries = Json::array();
    for (const auto& row : rows) entries.push_back(statement::as_json(row, view));
    return {statement::as_table(rows, view), {{"entries", entries}}, exit_code::done};
}

Report show_statement(const Options& options)
{
    Office office(options, Signing::no);
    const auto& currency = office.issuer().currency;
    statement::View view{currency, std::nullopt, options.local_time};
    StatementQuery query;
    if (!options.account.empty()) query.account = view.account = account_named(options.account);
    if (!options.at_terminal.empty())
        query.terminal = workplace::account(options.at_terminal, "--at (a terminal's name)");
    query.since =
        time_of(options.since, options.local_time, "--since (2026-11-29 or with T10:00:00)");
    query.until =
        time_of(options.until, options.local_time, "--until (2026-11-29 or with T10:00:00)");
    if (!is_kind(options.entry_kind)) refuse("--kind (as statements name it: payment, 'pay out')");
    query.kind = options.entry_kind;
    query.least = amount_of(options.least, currency);
    query.most = amount_of(options.most, currency);
    constexpr std::size_t everything = ~std::size_t{0};
    const auto rows = rows_of(office, query, options.limit == 0 ? everything : options.limit);
    auto report = print_as(options, rows, view);
    if (!query.account || query.account->kind == AccountKind::card) return report;
    const auto before = Amount::minor_units(
        query.since ? office.balance_at(*query.account, *query.since) : std::int64_t{0});
    if (!report.json.is_null()) report.json["opening_balance"] = amount_json(before, currency);
    if (options.format.empty()) {
        report.text = query.account->to_string() + ", before: " + to_string(before, currency) +
                      "\n" + report.text;
    }
    return report;
}

// Count and sum of the entries of each kind.
struct Sums {
    std::uint64_t count = 0;
    std::int64_t sum = 0;
};

std::map<std::string, Sums> sums_of(const std::vector<LedgerRow>& rows, const statement::View& view)
{
    std::map<std::string, Sums> sums;
    for (const auto& row : rows) {
        auto& [count, sum] = sums[statement::kind_of(row.entry)];
        ++count;
        sum += statement::amount_of(row, view).to_minor_units();
    }
    return sums;
}

// One day of a till, whose name is --terminal, or of a shop's account.
Report day(const Options& options)
{
    Office office(options, Signing::no);
    const auto& currency = office.issuer().currency;
    const auto begin = time_of(options.since, options.local_time, "the day (2026-11-29)");
    if (options.since.size() != 10) refuse("the day (2026-11-29)");
    const auto end = *begin + std::chrono::days(1);
    const bool is_shop = !options.account.empty();
    const auto till = workplace::account(options.terminal, "--terminal (a terminal's name)");
    const auto account = is_shop
                             ? associated_account(workplace::account(options.account, "--account"))
                             : cash_account(till);
    const statement::View view{currency, account, options.local_time};
    StatementQuery query;
    query.since = begin;
    query.until = end;
    query.account = account;
    constexpr std::size_t everything = ~std::size_t{0};
    auto sums = sums_of(rows_of(office, query, everything), view);
    if (!is_shop) {
        // Payments go to shops: the till took them, and its cash does not move.
        query.account.reset();
        query.terminal = till;
        query.kind = name(Kind::payment);
        auto taken = sums_of(rows_of(office, query, everything), {currency, std::nullopt, false});
        sums.merge(taken);
    }
    const auto opening = office.balance_at(account, *begin);
    const auto closing = office.balance_at(account, end);

    std::vector<std::vector<std::string>> lines = {{"what", "how many", "sum"}};
    Json kinds = Json::object();
    for (const auto& [kind, found] : sums) {
        const auto sum = Amount::minor_units(found.sum);
        lines.push_back({kind, std::to_string(found.count), to_string(sum, currency)});
        kinds[kind] = {{"count", found.count}, {"sum", amount_json(sum, currency)}};
    }
    const auto money = [&](std::int64_t n) { return Amount::minor_units(n); };
    std::size_t open = 0;
    if (!is_shop) {
        const auto journal = workplace::journal(options);
        open = static_cast<std::size_t>(
            std::ranges::count_if(journal->entries(), [](const auto& e) { return e.is_open(); }));
    }
    auto text = account.to_string() + ", " + options.since + ": " +
                to_string(money(opening), currency) + " at its beginning, " +
                to_string(money(closing), currency) + " at its end\n" + table(lines);
    if (open > 0) {
        text += "\n" + counted(open, "operation") +
                " of this till's journal still open: 'tallycard settle'";
    }
    return {text,
            {{"account", account.to_string()},
             {"day", options.since},
             {"opening_balance", amount_json(money(opening), currency)},
             {"closing_balance", amount_json(money(closing), currency)},
             {"kinds", kinds},
             {"open", open}},
            exit_code::done};
}

}  // namespace

void add_statement_commands(Program& program)
{
    auto& options = program.options;
    auto& list = program.command("statement", "List what happened: by account, till and time",
                                 show_statement);
    with::issuer(list, options);
    list.add_option("account", options.account,
                    "NAME of an account, card/ID, cash/TERMINAL or outside/NAME; default: all");
    list.add_option("--at", options.at_terminal, "Only what this terminal delivered");
    list.add_option("--since", options.since, "From this day or time on: 2026-11-29T10:00:00");
    list.add_option("--until", options.until, "Before this day or time");
    list.add_option("--kind", options.entry_kind, "Only of this kind: payment, 'pay out', gap");
    list.add_option("--least", options.least, "Only amounts of at least this size");
    list.add_option("--most", options.most, "Only amounts of at most this size");
    list.add_option("--limit", options.limit, "At most so many; default: all");
    list.add_option("--format", options.format, "csv or hledger, in place of a table")
        ->check(CLI::IsMember({"csv", "hledger"}));

    auto& end = program.command("day", "Sum up one day of a till, or of a shop's account", day);
    with::issuer(end, options);
    end.add_option("day", options.since, "The day: 2026-11-29")->required();
    end.add_option("--account", options.account, "A shop's account, in place of the till");
    end.add_option("-t,--terminal", options.terminal, "The till ($TALLYCARD_TERMINAL)")
        ->capture_default_str();
    with::journal(end, options);
    for (auto* command : {&list, &end}) {
        command->add_flag("--local", options.local_time,
                          "Days and times are of this machine's time zone ($TZ), not UTC");
    }
}
