// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tallycard/result.hpp>

namespace tallycard {

// A whole number and nothing else: digits alone, no sign.
template <std::unsigned_integral Number>
std::optional<Number> to_number(std::string_view text, int base = 10)
{
    Number number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number, base);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return number;
}

// Walks over the words of a text of lines. A '#' at the start of a word makes the rest of its line
// a comment; lines with no word are skipped. The text must outlive it.
class TextScanner {
public:
    explicit TextScanner(std::string_view text) : rest_(text) {}

    // Goes to the next line that has a word. False: there is none.
    bool next_line();
    // No word is left in this line.
    bool at_line_end();
    // The next word of this line; empty at its end.
    std::string_view word();
    // A word that is `"text"`, with \" and \\ and \xHH inside. Empty: it is none.
    std::optional<std::string> quoted();

    std::uint32_t line() const { return line_; }
    // Of the word that was read last, from 1; or of the line's end, where there was none.
    std::uint32_t column() const { return column_; }
    // Errc::file_malformed, at that word.
    Error error(const char* what) const
    {
        return {.code = Errc::file_malformed, .detail = line_, .column = column_, .where = what};
    }

private:
    void skip_blanks();

    std::string_view rest_;  // the lines behind this one
    std::string_view text_;  // this line
    std::size_t at_ = 0;     // in it
    std::uint32_t line_ = 0, column_ = 0;
};

// The text as TextScanner::quoted() reads it.
std::string quote(std::string_view text);

}  // namespace tallycard
