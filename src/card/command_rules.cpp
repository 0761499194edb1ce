// SPDX-License-Identifier: Apache-2.0
#include "command_rules.hpp"

#include <tallycard/pin.hpp>

namespace tallycard::detail {

namespace {

struct Meaning {
    StatusWord sw;
    Errc code;
    Refusals group;
};

constexpr Meaning meanings[] = {
    {sw::malformed_data, Errc::malformed, Refusals::malformed},
    {sw::bad_signature, Errc::not_authentic, Refusals::not_authentic},
    {sw::pin_needed, Errc::pin_needed, Refusals::pin_needed},
    {sw::pin_blocked, Errc::pin_blocked, Refusals::pin},
    {sw::no_pin, Errc::no_pin, Refusals::pin},
    {sw::not_in_log, Errc::not_in_log, Refusals::not_in_log},
    {sw::wrong_unit, Errc::wrong_unit, Refusals::wrong_unit},
    {sw::balance_too_low, Errc::balance_too_low, Refusals::amount},
    {sw::amount_limit, Errc::amount_limit, Refusals::amount},
    {sw::balance_limit, Errc::balance_limit, Refusals::balance_limit},
    {sw::wrong_sequence, Errc::wrong_sequence, Refusals::wrong_operation},
    {sw::wrong_card, Errc::wrong_card, Refusals::wrong_operation},
    {sw::no_such_request, Errc::no_such_request, Refusals::wrong_operation},
    {sw::offline_limit, Errc::offline_limit, Refusals::offline_limit},
};

// The checks that come first for every command.
std::optional<Errc> common_refusal(StatusWord sw)
{
    if (sw == sw::memory_failure) return Errc::memory_failure;
    if (sw == sw::not_in_this_state) return Errc::not_in_this_state;
    if (sw == sw::wrong_length || sw == sw::wrong_p1_p2) return Errc::malformed;
    if (sw == sw::unknown_ins || sw == sw::unknown_cla) return Errc::unexpected_status;
    return std::nullopt;
}

}  // namespace

std::optional<Errc> refusal(const CommandRule& rule, StatusWord sw)
{
    if (contains(rule.refusals, Refusals::no_application))
        return sw == sw::memory_failure ? Errc::memory_failure : Errc::foreign_card;
    if (const auto common = common_refusal(sw)) return common;
    for (const auto& meaning : meanings) {
        if (meaning.sw == sw && contains(rule.refusals, meaning.group)) return meaning.code;
    }
    const auto tries = sw.tries_left();
    if (tries && *tries <= pin_tries && contains(rule.refusals, Refusals::pin))
        return Errc::wrong_pin;
    return std::nullopt;
}

}  // namespace tallycard::detail
