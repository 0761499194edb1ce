// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include <tallycard/apdu.hpp>
#include <tallycard/export.hpp>
#include <tallycard/observer.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>

#include "command_rules.hpp"

namespace tallycard::detail {

using AnswerBuffer = std::span<std::uint8_t, apdu::Response::max_size>;

// A card that never stops saying 61xx or 6Cxx is given up after this many GET RESPONSE.
inline constexpr int most_get_responses = 32;

// Sends one command and brings its whole answer, whatever the transmission protocol: the one place
// that knows 61xx and 6Cxx. The response is 9000 and is a view into `answer`; all else is an Error,
// with the effect that `rule` gives it. Allocates nothing.
TALLYCARD_EXPORT Result<apdu::Response> exchange(CardLink& link, const apdu::Command& command,
                                                 const CommandRule& rule, AnswerBuffer answer,
                                                 Observer* observer);

// The same for a command whose PIN blocks the reader fills in.
TALLYCARD_EXPORT Result<apdu::Response> exchange_at_reader(CardLink& link, PinEntry entry,
                                                           const apdu::Command& command,
                                                           const CommandRule& rule,
                                                           AnswerBuffer answer, Observer* observer);

}  // namespace tallycard::detail
