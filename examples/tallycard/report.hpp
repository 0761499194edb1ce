// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include <tallycard/entry.hpp>
#include <tallycard/outcome.hpp>

using Json = nlohmann::ordered_json;

// Exit codes of the tool.
namespace exit_code {
inline constexpr int done = 0, refused = 1, in_doubt = 2, usage = 64;
}

// What a command found or did: for people and for programs.
struct Report {
    std::string text;  // lines, without the last line feed
    Json json;         // null: all has been printed
    int exit = exit_code::done;
};

// Prints it: the text, or the JSON on one line. What went wrong goes to stderr, JSON never does.
void print(const Report& report, bool json);

Report report_of(const tallycard::Error& error);

// An operation that was asked for again with its id could not be looked up.
Report still_in_doubt(const tallycard::Error& error, const std::string& id);

// One operation's end. `id` is what to ask again with.
Report report_of(const tallycard::Outcome& outcome, const tallycard::OperationId& id,
                 const tallycard::Currency& currency);

Json to_json(const tallycard::Operation& operation, const tallycard::Currency& currency);
// {"text": "50.00 EUR", "minor_units": 5000}
template <class T>
Json amount_json(T amount, const tallycard::Currency& currency)
{
    return {{"text", to_string(amount, currency)}, {"minor_units", amount.to_minor_units()}};
}

// "top-up 50.00 EUR", "payment -12.30 EUR to SHOP-1"
std::string describe(const tallycard::Operation& operation, const tallycard::Currency& currency);

// "1 card", "2 cards", "2 entries"
std::string counted(std::uint64_t n, const char* noun);

// "2026-11-29T10:00:00Z"
std::string utc(tallycard::Time time);

// Columns padded to their widest cell; numbers are not special.
std::string table(const std::vector<std::vector<std::string>>& rows);
