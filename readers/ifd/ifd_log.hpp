// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tallycard::ifd {

// Lines in the log of pcscd (or on stderr, in a program that is not pcscd). Never what a card or a
// person said: no command, no answer, no PIN.
void log_info(const std::string& line) noexcept;
void log_error(const std::string& line) noexcept;

}  // namespace tallycard::ifd
