// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/export.hpp>

namespace tallycard::detail {

// Prints the promise that was broken and aborts. Never returns, never throws.
[[noreturn]] TALLYCARD_EXPORT void broken_contract(const char* promise, const char* where) noexcept;

}  // namespace tallycard::detail

// A promise that the caller makes. Broken promises are bugs in the calling code, not events:
// they stop the program, in release builds too, and are never reported as Errors.
#define TALLYCARD_EXPECTS(condition)    \
    ((condition) ? static_cast<void>(0) \
                 : ::tallycard::detail::broken_contract(#condition, __func__))
