// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pcsc_context.hpp"
#include "watchdog.hpp"

namespace tallycard::pcsc {

// A context whose calls have deadlines. A call that was given up takes the context with it: pcscd
// goes on with what it was asked, and answers into a socket that nobody reads.
class Connection {
public:
    explicit Connection(Context context)
        : context_(std::move(context)), watchdog_([this] { context_.give_up(); })
    {
    }

    const Context& context() const { return context_; }
    bool was_given_up() const { return watchdog_.has_bitten(); }

    // What `call`, one call of pcsc-lite, says; SCARD_E_TIMEOUT when it was given up.
    template <class Call>
    Result<LONG> within(std::chrono::milliseconds longest, Call&& call)
    {
        if (const auto watched = watchdog_.watch(longest); !watched) return watched.error();
        const LONG code = call();
        const bool given_up = watchdog_.relax();
        return given_up && code != SCARD_S_SUCCESS ? SCARD_E_TIMEOUT : code;
    }

private:
    Context context_;
    Watchdog watchdog_;
};

}  // namespace tallycard::pcsc
