// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace tallycard::https {
namespace {

constexpr int deepest = 6;

// Looks at the text as it is parsed: what a tree of values would hide.
class Watch {
public:
    explicit Watch(Problem& problem) : problem_(&problem) {}

    bool operator()(int depth, Json::parse_event_t event, Json& value)
    {
        if (depth > deepest) problem_->refuse("", "nested too deep");
        if (event == Json::parse_event_t::object_start) keys_.emplace_back();
        if (event == Json::parse_event_t::object_end) keys_.pop_back();
        if (event == Json::parse_event_t::key && !keys_.back().insert(value).second)
            problem_->refuse(value.get<std::string>(), "given twice");
        return true;
    }

private:
    Problem* problem_;
    std::vector<std::set<std::string>> keys_;
};

}  // namespace

std::optional<Json> parse_object(std::string_view text, Problem& problem)
{
    // Depth first, without the parser: it would build what is refused.
    int depth = 0, most = 0;
    for (const char c : text) {
        if (c == '{' || c == '[') most = std::max(most, ++depth);
        if (c == '}' || c == ']') --depth;
    }
    if (most > 64) {
        problem.refuse("", "nested too deep");
        return std::nullopt;
    }
    Watch watch(problem);
    auto json = Json::parse(text, std::ref(watch), false);
    if (json.is_discarded()) problem.refuse("", "not JSON");
    if (!json.is_object()) problem.refuse("", "a JSON object is wanted");
    if (problem.found()) return std::nullopt;
    return json;
}

Fields::Fields(const Json& object, Problem& problem, std::string where)
    : object_(&object), problem_(&problem), where_(std::move(where))
{
    if (!object.is_object()) problem.refuse(where_, "an object is wanted");
}

std::string Fields::path(const char* name) const
{
    return where_.empty() ? name : where_ + "." + name;
}

const Json* Fields::value(const char* name)
{
    if (!object_->is_object()) return nullptr;
    const auto found = object_->find(name);
    if (found == object_->end()) {
        refuse(name, "missing");
        return nullptr;
    }
    taken_.emplace_back(name);
    return &*found;
}

std::string Fields::text(const char* name)
{
    const auto* found = value(name);
    if (found == nullptr) return {};
    if (found->is_string()) return found->get<std::string>();
    refuse(name, "a string is wanted");
    return {};
}

bool Fields::flag(const char* name)
{
    const auto* found = value(name);
    if (found == nullptr) return false;
    if (found->is_boolean()) return found->get<bool>();
    refuse(name, "true or false is wanted");
    return false;
}

std::uint64_t Fields::number(const char* name, std::uint64_t most)
{
    const auto* found = value(name);
    if (found == nullptr) return 0;
    if (found->is_number_unsigned() && found->get<std::uint64_t>() <= most)
        return found->get<std::uint64_t>();
    refuse(name, "a whole number that is not too large is wanted");
    return 0;
}

std::int64_t Fields::amount(const char* name)
{
    const auto* found = value(name);
    if (found == nullptr) return 0;
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    const bool fits = found->is_number_unsigned()
                          ? found->get<std::uint64_t>() <= static_cast<std::uint64_t>(largest)
                          : found->is_number_integer() && found->get<std::int64_t>() >= -largest;
    if (fits) return found->get<std::int64_t>();
    refuse(name, "a whole number of minor units is wanted");
    return 0;
}

bool Fields::finish()
{
    if (!object_->is_object()) return false;
    for (const auto& [key, unused] : object_->items()) {
        if (std::ranges::find(taken_, key) == taken_.end())
            problem_->refuse(where_.empty() ? key : where_ + "." + key, "no such field");
    }
    return !problem_->found();
}

}  // namespace tallycard::https
