// SPDX-License-Identifier: Apache-2.0
// Lines of words with one space between them: how the issuer's text files are written.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace tallycard::text {

// Takes words off the front of a line; what fails stays failed. Ask at_end() last.
class Words {
public:
    explicit Words(std::string_view line) : rest_(line) {}

    std::string_view next()
    {
        if (!rest_) return {};
        const auto space = rest_->find(' ');
        const auto word = rest_->substr(0, space);
        if (space == std::string_view::npos)
            rest_.reset();
        else
            rest_->remove_prefix(space + 1);
        if (word.empty()) ok_ = false;
        return word;
    }

    // Decimal, in the shortest form.
    template <std::integral T>
    T number()
    {
        const auto word = next();
        T value{};
        const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
        const bool whole = code == std::errc{} && end == word.data() + word.size();
        const auto digits = word.substr(word.starts_with('-') ? 1 : 0);
        const bool shortest = digits == "0" ? digits == word : !digits.starts_with('0');
        if (!whole || !shortest) ok_ = false;
        return value;
    }

    // What T::parse makes of a word: FixedBytes, AccountId.
    template <class T>
    std::optional<T> parsed()
    {
        auto value = T::parse(next());
        if (!value) ok_ = false;
        return value;
    }

    void require(bool condition)
    {
        if (!condition) ok_ = false;
    }
    bool at_end() const { return ok_ && !rest_; }

private:
    std::optional<std::string_view> rest_;
    bool ok_ = true;
};

}  // namespace tallycard::text
