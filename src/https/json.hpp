// SPDX-License-Identifier: Apache-2.0
// JSON as the service and its clients speak it: read strictly, what is wrong is named by its field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace tallycard::https {

using Json = nlohmann::ordered_json;

// The first thing that is wrong with a text: "amount: a whole number is wanted".
class Problem {
public:
    // What comes after the first is its consequence.
    void refuse(const std::string& field, const std::string& why)
    {
        if (text_.empty()) text_ = field.empty() ? why : field + ": " + why;
    }
    bool found() const { return !text_.empty(); }
    const std::string& text() const { return text_; }

private:
    std::string text_;
};

// One object and nothing else: no key twice, at most 6 levels deep. Empty where there is a problem.
std::optional<Json> parse_object(std::string_view text, Problem& problem);

// The fields of one object. Each is taken once; a missing, mistyped or unknown one is a problem,
// and what is read then means nothing: ask finish() last. The object must outlive it.
class Fields {
public:
    Fields(const Json& object, Problem& problem, std::string where = {});

    std::string text(const char* name);
    bool flag(const char* name);
    std::uint64_t number(const char* name, std::uint64_t most);
    std::int64_t amount(const char* name);  // minor units, above −2^63

    // What T::parse makes of a string.
    template <class T>
    std::optional<T> parsed(const char* name)
    {
        auto value = T::parse(std::string_view(text(name)));
        if (!value) refuse(name, "not of the form that is wanted");
        return value;
    }
    // Fixed bytes, as hex.
    template <class T>
    T bytes(const char* name)
    {
        return parsed<T>(name).value_or(T{});
    }

    bool has(const char* name) const { return object_->contains(name); }
    // Any value; null where it is missing, which is a problem.
    const Json* value(const char* name);
    std::string path(const char* name) const;  // "first.object"
    void refuse(const char* name, const char* why) { problem_->refuse(path(name), why); }
    Problem& problem() { return *problem_; }

    // Whether everything was right, and nothing is left.
    bool finish();

private:
    const Json* object_;
    Problem* problem_;
    std::string where_;
    std::vector<std::string_view> taken_;
};

}  // namespace tallycard::https
