// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include <tallycard/apdu.hpp>
#include <tallycard/card_state.hpp>

#include "../../src/protocol/wire.hpp"

namespace tallycard::chip {

enum class CommandName : std::uint8_t {
    select,
    get_challenge,
    verify,
    change_reference_data,
    set_pin,
    internal_authenticate,
    get_data,
    request,
    execute,
    pay,
    get_result,
    get_operation,
    personalise,
};

// In which states a command works. `always` means also before the application is selected.
enum class WorksIn : std::uint8_t { always, blank, operational, personalised };

// What is checked of a command before its own code runs (docs/protocol.md, sections 5 and 6).
struct CommandRow {
    CommandName name;
    apdu::Header header;
    std::size_t least_data, most_data;
    bool answers_data;  // so that it needs Le
    WorksIn works_in;
    bool data_optional = false;
};

namespace rows {
namespace command = wire::command;
inline constexpr std::size_t any = apdu::Command::max_data;
inline constexpr CommandRow all[] = {
    {CommandName::select, command::select, 1, any, true, WorksIn::always},
    {CommandName::get_challenge, command::get_challenge, 0, 0, true, WorksIn::always},
    {CommandName::verify, command::verify, 8, 8, false, WorksIn::personalised, true},
    {CommandName::change_reference_data, command::change_reference_data, 16, 16, false,
     WorksIn::personalised},
    {CommandName::set_pin, command::set_pin, 8, 8, false, WorksIn::personalised},
    {CommandName::internal_authenticate, command::internal_authenticate, 16, 16, true,
     WorksIn::personalised},
    {CommandName::get_data, command::get_data, 0, 0, true, WorksIn::personalised},
    {CommandName::request, command::request, 1, any, true, WorksIn::operational},
    {CommandName::execute, command::execute, 1, any, true, WorksIn::personalised},
    {CommandName::pay, command::pay, 1, any, true, WorksIn::operational},
    {CommandName::get_result, command::get_result, 4, 4, true, WorksIn::personalised},
    {CommandName::get_operation, command::get_operation, 4, 4, true, WorksIn::personalised},
    {CommandName::personalise, command::personalise, 1, any, false, WorksIn::blank},
};
}  // namespace rows

}  // namespace tallycard::chip
