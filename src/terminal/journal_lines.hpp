// SPDX-License-Identifier: Apache-2.0
// What the lines of an operation journal say. Format: docs/operations.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <tallycard/operation_journal.hpp>

namespace tallycard::journal {

struct Executed {
    Operation operation;
    Receipt receipt;
    friend bool operator==(const Executed&, const Executed&) = default;
};

// One line: of which operation, and what happened to it. The last one is its end.
struct Event {
    OperationId id;
    std::variant<JournalIntent, JournalSent, Executed, JournalStage> what;
    friend bool operator==(const Event&, const Event&) = default;
};

std::string to_line(const Event& event);
// Strict: exactly what to_line() makes.
std::optional<Event> parse(std::string_view line);

}  // namespace tallycard::journal
