// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>
#include <winscard.h>

#include <optional>
#include <utility>

#include <tallycard/result.hpp>

#include "pcsc_error.hpp"
#include "service_socket.hpp"

namespace tallycard::pcsc {

// A connection to the PC/SC service. Every reader and every link has one of its own: pcscd serves
// the calls of one connection one after the other, and some of them block. Belongs to the process
// that made it; in a forked child it is left alone.
class Context {
public:
    static Result<Context> establish();
    Context(Context&& other) noexcept
        : handle_(std::exchange(other.handle_, 0)),
          owner_(other.owner_),
          socket_(std::move(other.socket_))
    {
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    Context& operator=(Context&&) = delete;
    ~Context();

    SCARDCONTEXT handle() const { return handle_; }
    bool inherited() const;
    // Ends the call that is running on this connection, whatever it waits for, and every later one:
    // SCARD_F_COMM_ERROR. From any thread. False where that cannot be done.
    bool give_up() const noexcept
    {
        socket_.end();
        return socket_.is_known();
    }

private:
    Context(SCARDCONTEXT handle, ServiceSocket socket);
    SCARDCONTEXT handle_;
    pid_t owner_;
    ServiceSocket socket_;
};

// Calls `use(context)`, once more with a new connection when the service was restarted since.
// For calls that change nothing. A `context` that the service has left is dropped.
template <class Use>
auto with_service(std::optional<Context>& context, const char* where, Use&& use)
    -> std::invoke_result_t<Use, const Context&>
{
    if (context && context->inherited()) return refused_in_child(where);
    if (context) {
        auto result = use(*context);
        if (result || result.error().code != Errc::service_unavailable) return result;
        context.reset();
    }
    auto fresh = Context::establish();
    if (!fresh) return fresh.error();
    context.emplace(*std::move(fresh));
    return use(*context);
}

}  // namespace tallycard::pcsc
