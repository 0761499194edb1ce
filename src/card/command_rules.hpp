// SPDX-License-Identifier: Apache-2.0
// What each command of docs/protocol.md, section 5, can answer, and what its failure means.
#pragma once

#include <cstdint>
#include <optional>

#include <tallycard/error.hpp>
#include <tallycard/status_word.hpp>

namespace tallycard::detail {

// The status words that a command gives beyond those that every command gives, as a set.
enum class Refusals : std::uint16_t {
    none = 0,
    malformed = 1 << 0,        // 6A80
    not_authentic = 1 << 1,    // 6988
    pin_needed = 1 << 2,       // 6982
    pin = 1 << 3,              // 63Cx 6983 6984
    not_in_log = 1 << 4,       // 6A88
    wrong_unit = 1 << 5,       // 9405
    amount = 1 << 6,           // 9401 9403
    balance_limit = 1 << 7,    // 9402
    wrong_operation = 1 << 8,  // 9404 9406 9408
    offline_limit = 1 << 9,    // 9407
    no_application = 1 << 10,  // whatever a card says that has no such application
};

constexpr Refusals operator|(Refusals a, Refusals b)
{
    return static_cast<Refusals>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr bool contains(Refusals set, Refusals one)
{
    return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}

struct CommandRule {
    const char* name;       // Error::where
    Effect if_in_doubt;     // what an answer that is lost or makes no sense leaves
    Refusals refusals;      // the status words that prove that nothing changed
    bool redacted = false;  // observers see sizes only
};

// The meaning of a status word other than 9000 as the answer to this command: empty where the
// protocol does not give it for the command, so that it proves nothing.
std::optional<Errc> refusal(const CommandRule& rule, StatusWord sw);

namespace rule {
using enum Refusals;
inline constexpr CommandRule select{"SELECT", Effect::none, no_application};
inline constexpr CommandRule get_challenge{"GET CHALLENGE", Effect::none, none};
// In doubt, a VERIFY may have used up a try; it never moves value.
inline constexpr CommandRule verify{"VERIFY", Effect::none, malformed | pin, true};
inline constexpr CommandRule change_reference_data{"CHANGE REFERENCE DATA", Effect::unknown,
                                                   malformed | pin, true};
inline constexpr CommandRule set_pin{"CHANGE REFERENCE DATA", Effect::unknown, malformed, true};
inline constexpr CommandRule internal_authenticate{"INTERNAL AUTHENTICATE", Effect::none,
                                                   pin_needed};
inline constexpr CommandRule get_data{"GET DATA", Effect::none, none};
// Asking again gives the same request, or replaces it: nothing moves.
inline constexpr CommandRule request{"REQUEST", Effect::none,
                                     malformed | wrong_unit | pin_needed | amount | balance_limit};
inline constexpr CommandRule execute{
    "EXECUTE", Effect::unknown,
    malformed | not_authentic | wrong_unit | wrong_operation | pin_needed | amount | balance_limit};
inline constexpr CommandRule pay{"PAY", Effect::unknown,
                                 malformed | wrong_unit | pin_needed | amount | offline_limit};
inline constexpr CommandRule get_result{"GET RESULT", Effect::none, not_in_log};
inline constexpr CommandRule get_operation{"GET OPERATION", Effect::none, not_in_log};
inline constexpr CommandRule personalise{"PERSONALISE", Effect::unknown, malformed | not_authentic,
                                         true};
}  // namespace rule

}  // namespace tallycard::detail
