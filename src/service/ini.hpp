// SPDX-License-Identifier: Apache-2.0
// Text files of settings: "name = value" in sections "[kind NAME]"; a '#' opens a comment line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/result.hpp>

namespace tallycard::service::ini {

struct Entry {
    std::uint32_t line = 0;
    std::string name, value;
};

struct Section {
    std::uint32_t line = 1;
    std::string kind, name;  // empty: what stands before the first section
    std::vector<Entry> entries;
};

// Errc::file_malformed at the line: what is no entry, a name given twice in one section, or a
// section that was there before.
Result<std::vector<Section>> parse(std::string_view text);

// Errc::file_malformed at a line. `why` is a literal.
Error refused(std::uint32_t line, const char* why);

// A whole number in digits; "yes" or "no".
std::optional<std::uint64_t> number(std::string_view text, std::uint64_t least, std::uint64_t most);
std::optional<bool> flag(std::string_view text);

// Why a value is refused; null: it is not.
using Refusal = const char*;

Refusal set_number(std::string_view value, std::uint64_t least, std::uint64_t most, auto& target)
{
    const auto number = ini::number(value, least, most);
    if (!number) return "a whole number in the range of docs/service.md is wanted";
    target = static_cast<std::remove_reference_t<decltype(target)>>(*number);
    return nullptr;
}

}  // namespace tallycard::service::ini
