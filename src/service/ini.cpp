// SPDX-License-Identifier: Apache-2.0
#include "ini.hpp"

#include <algorithm>
#include <charconv>

namespace tallycard::service::ini {
namespace {

constexpr std::string_view spaces = " \t";

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(spaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

bool is_control(char c)
{
    return static_cast<unsigned char>(c) < 0x20 && c != '\t';
}

std::optional<Section> section_in(std::string_view line)
{
    if (!line.starts_with('[') || !line.ends_with(']')) return std::nullopt;
    const auto inside = trimmed(line.substr(1, line.size() - 2));
    const auto space = std::min(inside.find_first_of(spaces), inside.size());
    Section section;
    section.kind = inside.substr(0, space);
    section.name = trimmed(inside.substr(space));
    if (section.kind.empty() || section.name.empty()) return std::nullopt;
    return section;
}

const char* take(std::string_view line, std::uint32_t number, std::vector<Section>& sections)
{
    if (std::ranges::any_of(line, is_control)) return "a control character";
    line = trimmed(line);
    if (line.empty() || line.starts_with('#')) return nullptr;
    if (line.starts_with('[')) {
        auto section = section_in(line);
        if (!section) return "[KIND NAME] is wanted";
        for (const auto& before : sections) {
            if (before.kind == section->kind && before.name == section->name)
                return "this section is there already";
        }
        section->line = number;
        sections.push_back(std::move(*section));
        return nullptr;
    }
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return "NAME = VALUE is wanted";
    Entry entry{.line = number,
                .name = std::string(trimmed(line.substr(0, equals))),
                .value = std::string(trimmed(line.substr(equals + 1)))};
    if (entry.name.empty() || entry.value.empty()) return "NAME = VALUE is wanted";
    auto& entries = sections.back().entries;
    for (const auto& before : entries)
        if (before.name == entry.name) return "given twice";
    entries.push_back(std::move(entry));
    return nullptr;
}

}  // namespace

Error refused(std::uint32_t line, const char* why)
{
    return {.code = Errc::file_malformed, .detail = line, .column = 1, .where = why};
}

Result<std::vector<Section>> parse(std::string_view text)
{
    std::vector<Section> sections(1);
    std::uint32_t number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        ++number;
        if (const auto* why = take(text.substr(0, end), number, sections))
            return refused(number, why);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return sections;
}

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t least, std::uint64_t most)
{
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = code == std::errc{} && end == text.data() + text.size();
    if (!whole || value < least || value > most) return std::nullopt;
    return value;
}

std::optional<bool> flag(std::string_view text)
{
    if (text == "yes") return true;
    if (text == "no") return false;
    return std::nullopt;
}

}  // namespace tallycard::service::ini
