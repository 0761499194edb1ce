// SPDX-License-Identifier: Apache-2.0
#include "text_scanner.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace tallycard {

bool TextScanner::next_line()
{
    while (!rest_.empty()) {
        const auto end = rest_.find('\n');
        text_ = rest_.substr(0, end);
        rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
        at_ = 0;
        ++line_;
        column_ = 1;
        if (!at_line_end()) return true;
    }
    text_ = {};
    at_ = 0;
    return false;
}

void TextScanner::skip_blanks()
{
    at_ = std::min(text_.find_first_not_of(' ', at_), text_.size());
    if (at_ < text_.size() && text_[at_] == '#') text_ = text_.substr(0, at_);
}

bool TextScanner::at_line_end()
{
    skip_blanks();
    return at_ == text_.size();
}

std::string_view TextScanner::word()
{
    skip_blanks();
    column_ = static_cast<std::uint32_t>(at_ + 1);
    const auto end = std::min(text_.find(' ', at_), text_.size());
    const auto found = text_.substr(at_, end - at_);
    at_ = end;
    return found;
}

std::optional<std::string> TextScanner::quoted()
{
    skip_blanks();
    column_ = static_cast<std::uint32_t>(at_ + 1);
    if (at_ == text_.size() || text_[at_] != '"') return std::nullopt;
    std::string found;
    for (auto i = at_ + 1; i < text_.size(); ++i) {
        if (text_[i] == '"') {
            at_ = i + 1;
            return found;
        }
        if (text_[i] != '\\') {
            found += text_[i];
            continue;
        }
        const auto escaped = ++i < text_.size() ? text_[i] : '\0';
        const auto code =
            to_number<std::uint8_t>(text_.substr(std::min(i + 1, text_.size()), 2), 16);
        if (escaped == '"' || escaped == '\\') {
            found += escaped;
        } else if (escaped == 'x' && code && i + 2 < text_.size()) {
            found += static_cast<char>(*code);
            i += 2;
        } else {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

std::string quote(std::string_view text)
{
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        if (static_cast<unsigned char>(c) >= 0x20) {
            quoted += c;
            continue;
        }
        std::array<char, 8> code;
        std::snprintf(code.data(), code.size(), "\\x%02x", static_cast<unsigned char>(c));
        quoted += code.data();
    }
    return quoted + '"';
}

}  // namespace tallycard
