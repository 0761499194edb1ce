// SPDX-License-Identifier: Apache-2.0
#include "pcsc_context.hpp"

#include <unistd.h>

#include <mutex>

namespace tallycard::pcsc {

namespace {

// One at a time, so that the new socket is this context's. A program that also calls pcsc-lite
// itself may still come between: then it is tried again.
std::mutex& establishing()
{
    static std::mutex mutex;
    return mutex;
}

constexpr int tries = 5;

}  // namespace

Result<Context> Context::establish()
{
    const std::lock_guard lock(establishing());
    for (int i = 1;; ++i) {
        const SocketFinder finder;
        SCARDCONTEXT handle = 0;
        const LONG code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, nullptr, nullptr, &handle);
        // pcsc-lite says so, too, where pcscd has ended between its connect() and its first word.
        if (code == SCARD_W_SECURITY_VIOLATION && i == 1) continue;
        if (code != SCARD_S_SUCCESS) return to_error(code, "SCardEstablishContext");
        auto sockets = finder.find();
        if (sockets.size() == 1) return Context(handle, std::move(sockets[0]));
        if (sockets.empty() || i == tries) return Context(handle, ServiceSocket());
        SCardReleaseContext(handle);
    }
}

Context::Context(SCARDCONTEXT handle, ServiceSocket socket)
    : handle_(handle), owner_(getpid()), socket_(std::move(socket))
{
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
