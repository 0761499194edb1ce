// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <tallycard/error.hpp>

namespace tallycard::pkcs11 {

// What a function of the module answered, as our error. `where` is the function's name.
Error error_of(CK_RV code, const char* where);

// Whether a session, the login or the token is gone, so that connecting anew can help.
bool is_lost(CK_RV code);

// Whether the module's answer means that this PIN does not open the token.
bool is_pin_refused(CK_RV code);

}  // namespace tallycard::pkcs11
