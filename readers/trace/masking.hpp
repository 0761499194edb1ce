// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <tallycard/export.hpp>

namespace tallycard::trace {

// Whether all of a command may be shown: it is one of docs/protocol.md that carries no secret, and
// its data has the form that the page gives it. A PIN under another instruction is none.
TALLYCARD_EXPORT bool is_public(std::span<const std::uint8_t> command);

// Whether it only fetches the answer to the command before it.
bool is_get_response(std::span<const std::uint8_t> command);

// Bytes as they stand in a record: two hex digits each, ".." for those that are masked, "-" for
// none at all. Of a masked command the header is left, of a masked answer the status word.
std::string command_text(std::span<const std::uint8_t> command, bool is_shown);
std::string answer_text(std::span<const std::uint8_t> answer, bool is_shown);

}  // namespace tallycard::trace
