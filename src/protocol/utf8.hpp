// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629), strictly: no surrogates, no long forms.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <tallycard/export.hpp>

namespace tallycard::utf8 {

// Takes one character off the front of a text that is not empty; nullopt: it is none.
TALLYCARD_EXPORT std::optional<char32_t> take(std::string_view& text);

// Unicode's White_Space.
TALLYCARD_EXPORT bool is_space(char32_t c);

// False where the text is no UTF-8, too.
template <class Admits>
bool all_of(std::string_view text, Admits&& admits)
{
    while (!text.empty()) {
        const auto c = take(text);
        if (!c || !admits(*c)) return false;
    }
    return true;
}

}  // namespace tallycard::utf8
