// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <ctime>

#include <algorithm>
#include <cstdio>

using namespace tallycard;

namespace {

Json error_json(const Error& error)
{
    Json json{{"code", name(error.code)}, {"message", error.message()}};
    if (error.sw != StatusWord{}) json["status_word"] = error.sw.value();
    if (error.column != 0) {
        json["line"] = error.detail;
        json["column"] = error.column;
    }
    return json;
}

Report applied(const Applied& applied, const OperationId& id, const Currency& currency)
{
    const auto& result = applied.receipt.result;
    Report report;
    report.text = describe(applied.operation, currency) + ": done; balance " +
                  to_string(result.balance, currency) + " (card " + result.card_id.to_string() +
                  ", sequence " + std::to_string(result.sequence);
    report.json = {{"outcome", "applied"},
                   {"id", id.to_string()},
                   {"operation", to_json(applied.operation, currency)},
                   {"balance", amount_json(result.balance, currency)},
                   {"receipt", to_hex(applied.receipt.encode())},
                   {"settled", applied.settlement.has_value()}};
    if (applied.settlement) {
        report.text += ", ledger entry " + std::to_string(applied.settlement->ledger_index) + ")";
        report.json["ledger_entry"] = applied.settlement->ledger_index;
    } else {
        report.text += ", to be settled)";
    }
    return report;
}

Report in_doubt(const InDoubt& doubt, const OperationId& id, const Currency& currency)
{
    auto report = still_in_doubt(doubt.reason, id.to_string());
    if (doubt.operation) report.json["operation"] = to_json(*doubt.operation, currency);
    return report;
}

}  // namespace

void print(const Report& report, bool json)
{
    if (json && !report.json.is_null()) {
        constexpr auto replace = Json::error_handler_t::replace;  // names that are not UTF-8
        std::printf("%s\n", report.json.dump(-1, ' ', false, replace).c_str());
    } else if (!report.text.empty()) {
        std::fprintf(report.exit == exit_code::done ? stdout : stderr, "%s\n", report.text.c_str());
    }
}

Report report_of(const Error& error)
{
    const bool unknown = error.effect == Effect::unknown;
    return {"tallycard: " + error.message(),
            {{"outcome", unknown ? "in_doubt" : "not_applied"}, {"error", error_json(error)}},
            unknown ? exit_code::in_doubt : exit_code::refused};
}

Report still_in_doubt(const Error& error, const std::string& id)
{
    return {"in doubt: " + error.message() +
                "\nTo find out, present the same card and run the same command again with --id " +
                id + ", or run 'tallycard resolve'.",
            {{"outcome", "in_doubt"}, {"id", id}, {"error", error_json(error)}},
            exit_code::in_doubt};
}

Report report_of(const Outcome& outcome, const OperationId& id, const Currency& currency)
{
    if (const auto* done = std::get_if<Applied>(&outcome)) return applied(*done, id, currency);
    if (const auto* doubt = std::get_if<InDoubt>(&outcome)) return in_doubt(*doubt, id, currency);
    auto report = report_of(std::get_if<NotApplied>(&outcome)->reason);
    report.exit = exit_code::refused;
    report.json["outcome"] = "not_applied";
    report.json["id"] = id.to_string();
    return report;
}

Json to_json(const Operation& operation, const Currency& currency)
{
    Json json{{"kind", name(operation.kind)},
              {"card", operation.card_id.to_string()},
              {"sequence", operation.sequence},
              {"amount", amount_json(operation.amount, currency)},
              {"nonce", operation.nonce.to_string()}};
    if (operation.account) json["account"] = std::string(operation.account->text());
    return json;
}

std::string describe(const Operation& operation, const Currency& currency)
{
    std::string text = name(operation.kind);
    if (moves_value(operation.kind)) text += " " + to_string(operation.amount, currency);
    const bool is_cash = operation.kind == Kind::top_up || operation.kind == Kind::cash_out;
    if (!operation.account || is_cash) return text;
    text += is_debit(operation.kind) ? " to " : " from ";
    return text + std::string(operation.account->text());
}

std::string counted(std::uint64_t n, const char* noun)
{
    std::string text = noun;
    if (n == 1) return "1 " + text;
    if (text.ends_with('y')) {
        text.pop_back();
        return std::to_string(n) + ' ' + text + "ies";
    }
    return std::to_string(n) + ' ' + text + 's';
}

std::string utc(Time time)
{
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[32];
    const auto size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text, size};
}

std::string table(const std::vector<std::vector<std::string>>& rows)
{
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
        }
        text += (text.empty() ? "" : "\n") + line;
    }
    return text;
}
