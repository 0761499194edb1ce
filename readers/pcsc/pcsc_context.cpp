// SPDX-License-Identifier: Apache-2.0
#include "pcsc_context.hpp"

#include <unistd.h>

namespace tallycard::pcsc {

Result<Context> Context::establish()
{
    SCARDCONTEXT handle = 0;
    const LONG code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &handle);
    if (code != SCARD_S_SUCCESS) return to_error(code, "SCardEstablishContext");
    return Context(handle, getpid());
}

Context::~Context()
{
    if (handle_ != 0 && !inherited()) SCardReleaseContext(handle_);
}

bool Context::inherited() const
{
    return owner_ != getpid();
}

}  // namespace tallycard::pcsc
