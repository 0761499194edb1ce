// SPDX-License-Identifier: Apache-2.0
// Errors over the wire: what the client returns is what the platform returned.
#pragma once

#include <string>
#include <string_view>

#include <tallycard/error.hpp>

#include "json.hpp"

namespace tallycard::https {

// {"error": {"code": "unknown_card", "effect": "none", "where": "standing", "detail": 0, "message":
// "…"}}. `message` says it to people; it is the error's own where none is given.
Json to_json(const Error& error, std::string message = {});

// Empty where the text is no such object. A code that this version does not know is
// Errc::issuer_unreachable, with the effect that was sent.
std::optional<Error> read_error(std::string_view text);

// The HTTP status that goes with an error.
int status_of(const Error& error);

}  // namespace tallycard::https
