// SPDX-License-Identifier: Apache-2.0
#include "statement_report.hpp"

#include <array>
#include <ctime>

using namespace tallycard;

namespace statement {
namespace {

std::string time_text(Time time, bool local)
{
    if (!local) return utc(time);
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &parts);
    return {text.data(), size};
}

// The other account of the posting, or both of them.
std::string other_side_of(const LedgerRow& row, const View& view)
{
    if (!row.posting) return "";
    const auto& [debit, credit, amount, debit_after, credit_after] = *row.posting;
    if (view.account == debit) return credit.to_string();
    if (view.account == credit) return debit.to_string();
    return debit.to_string() + " > " + credit.to_string();
}

std::string reference_of(const LedgerRow& row)
{
    if (row.reference) return std::string(row.reference->text());
    const auto* order = row.entry.account_record();
    if (order == nullptr || !order->order.reference) return "";
    return std::string(order->order.reference->text());
}

std::string terminal_of(const LedgerRow& row)
{
    const auto* delivered = row.entry.delivered();
    return delivered == nullptr ? "" : std::string(delivered->terminal.text());
}

std::string card_of(const LedgerRow& row)
{
    if (const auto* record = row.entry.record()) {
        return record->receipt.result.card_id.to_string() + ':' +
               std::to_string(record->receipt.result.sequence);
    }
    if (const auto* gap = row.entry.gap()) return gap->card_id.to_string();
    return "";
}

std::string refunds_of(const LedgerRow& row)
{
    if (!row.refunds) return "";
    return row.refunds->card_id.to_string() + ':' + std::to_string(row.refunds->sequence);
}

// Of the account that the statement is of, afterwards.
std::optional<Amount> balance_of(const LedgerRow& row, const View& view)
{
    if (!row.posting || !view.account) return std::nullopt;
    if (*view.account == row.posting->debit) return Amount::minor_units(row.posting->debit_after);
    if (*view.account == row.posting->credit) return Amount::minor_units(row.posting->credit_after);
    return std::nullopt;
}

// Digits and a point alone, as spreadsheets and hledger read them: "50.00" of "50.00 EUR".
std::string bare(Amount amount, const Currency& currency)
{
    const auto text = to_string(amount, currency);
    return text.substr(0, text.find(' '));
}

std::string quoted(const std::string& text)
{
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const auto c : text) out += c == '"' ? "\"\"" : std::string(1, c);
    return out + '"';
}

// In hledger a colon parts an account's name, and two spaces or a semicolon end it.
std::string hledger_account(const AccountName& name)
{
    auto text = name.to_string();
    text[text.find('/')] = ':';
    for (auto at = text.find(':') + 1; at < text.size(); ++at)
        if (text[at] == ':' || text[at] == ';') text[at] = '_';
    return text;
}

// In a description a semicolon begins a comment.
std::string hledger_words(std::string text)
{
    for (auto& c : text)
        if (c == ';' || c == '|') c = ',';
    return text;
}

}  // namespace

std::string kind_of(const Entry& entry)
{
    if (const auto* record = entry.record()) return name(record->operation.kind);
    if (const auto* order = entry.account_record()) return name(order->order.kind);
    return "gap";
}

Amount amount_of(const LedgerRow& row, const View& view)
{
    if (!row.posting) return {};
    return view.account == row.posting->debit ? -row.posting->amount : row.posting->amount;
}

std::string as_table(const std::vector<LedgerRow>& rows, const View& view)
{
    std::vector<std::vector<std::string>> lines = {
        {"entry", "time", "what", "amount", "balance", "other side", "terminal", "reference"}};
    for (const auto& row : rows) {
        const auto balance = balance_of(row, view);
        lines.push_back({std::to_string(row.index), time_text(row.entry.time, view.local_time),
                         kind_of(row.entry),
                         row.posting ? to_string(amount_of(row, view), view.currency) : "",
                         balance ? to_string(*balance, view.currency) : "",
                         other_side_of(row, view), terminal_of(row), reference_of(row)});
    }
    return table(lines);
}

Json as_json(const LedgerRow& row, const View& view)
{
    Json json{{"entry", row.index}, {"time", utc(row.entry.time)}, {"kind", kind_of(row.entry)}};
    json["amount"] = amount_json(amount_of(row, view), view.currency);
    if (row.posting) {
        json["from"] = row.posting->debit.to_string();
        json["to"] = row.posting->credit.to_string();
    }
    if (const auto balance = balance_of(row, view))
        json["balance"] = amount_json(*balance, view.currency);
    if (const auto card = card_of(row); !card.empty()) json["card"] = card;
    if (const auto terminal = terminal_of(row); !terminal.empty()) json["terminal"] = terminal;
    if (const auto reference = reference_of(row); !reference.empty()) json["reference"] = reference;
    if (row.refunds) json["refunds"] = refunds_of(row);

    return json;
}

std::string as_csv(const std::vector<LedgerRow>& rows, const View& view)
{
    std::string text =
        "entry,time,kind,amount,unit,balance,from,to,card,terminal,reference,refunds";
    for (const auto& row : rows) {
        const auto balance = balance_of(row, view);
        const std::array fields = {std::to_string(row.index),
                                   utc(row.entry.time),
                                   kind_of(row.entry),
                                   bare(amount_of(row, view), view.currency),
                                   view.currency.unit.to_string(),
                                   balance ? bare(*balance, view.currency) : std::string(),
                                   row.posting ? row.posting->debit.to_string() : std::string(),
                                   row.posting ? row.posting->credit.to_string() : std::string(),
                                   card_of(row),
                                   terminal_of(row),
                                   reference_of(row),
                                   refunds_of(row)};
        text += "\r\n";
        for (std::size_t at = 0; at < fields.size(); ++at)
            text.append(at == 0 ? "" : ",").append(quoted(fields.at(at)));
    }
    return text;
}

std::string as_hledger(const std::vector<LedgerRow>& rows, const View& view)
{
    std::string text = "; times are UTC";
    const auto unit = view.currency.unit.to_string();
    for (const auto& row : rows) {
        if (!row.posting) continue;
        const auto time = utc(row.entry.time);
        const auto amount = bare(row.posting->amount, view.currency);
        auto words = kind_of(row.entry);
        if (const auto reference = reference_of(row); !reference.empty())
            words.append(" | ").append(hledger_words(reference));
        text.append("\n\n").append(time, 0, 10).append(" (").append(std::to_string(row.index));
        text.append(") ").append(words).append("  ; ").append(time, 11);
        text.append("\n    ").append(hledger_account(row.posting->credit)).append("  ");
        text.append(amount).append(" ").append(unit);
        text.append("\n    ").append(hledger_account(row.posting->debit)).append("  -");
        text.append(amount).append(" ").append(unit);
    }
    return text;
}

std::optional<Time> parse_time(const std::string& text, bool local)
{
    std::tm parts{};
    for (const char* form : {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"}) {
        parts = {};
        const char* end = ::strptime(text.c_str(), form, &parts);
        if (end == nullptr || *end != '\0') continue;
        const auto wanted = parts;
        parts.tm_isdst = -1;
        const auto seconds = local ? std::mktime(&parts) : ::timegm(&parts);
        // A day that there is not becomes another one.
        const bool is_there = parts.tm_mday == wanted.tm_mday && parts.tm_sec == wanted.tm_sec;
        if (seconds < 0 || !is_there) return std::nullopt;
        return Time(std::chrono::seconds(seconds));
    }
    return std::nullopt;
}

}  // namespace statement
