// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <winscard.h>

#include <tallycard/error.hpp>

namespace tallycard::pcsc {

// What a PC/SC code other than success means to a caller of ours; the code stays in Error::detail.
// `where` is the PC/SC function.
Error to_error(LONG code, const char* where, Effect effect = Effect::none);

// The answer to every call on an object that fork() brought into a child: its handles are the
// parent's, and using or closing them there would end the parent's session.
Error refused_in_child(const char* where);

}  // namespace tallycard::pcsc
