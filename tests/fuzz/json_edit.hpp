// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iterator>
#include <string>

#include "../../src/https/json.hpp"
#include "input.hpp"

namespace fuzz {

using tallycard::https::Json;

// A value that may stand anywhere.
inline Json any_value(Input& input)
{
    switch (input.below(10)) {
    case 0: return nullptr;
    case 1: return input.one_in(2);
    case 2: return input.number(8);
    case 3: return static_cast<std::int64_t>(input.number(8));
    case 4: return -static_cast<std::int64_t>(input.byte());
    case 5: return 0.5;
    case 6: return Json::array();
    case 7: return Json::object();
    case 8: return input.byte();
    default: {
        std::string words;  // printable: what is no UTF-8 is for raw texts
        for (const auto byte : input.bytes(input.below(32)))
            words += static_cast<char>(byte & 0x7F);
        return words;
    }
    }
}

// Changes one place of an object, as the input says: somewhere inside, a field is dropped, added or
// has another value, or letters of a string change.
inline void edit(Json& object, Input& input)
{
    if (object.empty()) {
        object["more"] = any_value(input);
        return;
    }
    auto field = object.begin();
    std::advance(field, input.byte() % object.size());
    if (field->is_object() && !input.one_in(4)) return edit(*field, input);
    switch (input.below(6)) {
    case 0: object.erase(field); return;
    case 1: object[std::string("more")] = any_value(input); return;
    case 2: {
        if (!field->is_string() || field->get_ref<std::string&>().empty()) break;
        auto& letters = field->get_ref<std::string&>();
        letters[input.byte() % letters.size()] = static_cast<char>(input.byte() & 0x7F);
        return;
    }
    case 3: {
        if (!field->is_array() || field->empty()) break;
        (*field)[0] = any_value(input);
        return;
    }
    default: break;
    }
    *field = any_value(input);
}

}  // namespace fuzz
