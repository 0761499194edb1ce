// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include <tallycard/result.hpp>

namespace tallycard::postgres {

struct Deleter {
    void operator()(PGresult* result) const { PQclear(result); }
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
    void operator()(char* text) const { PQfreemem(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

// What the server answered for one statement.
using Answer = Owned<PGresult>;

// One parameter of a statement, in PostgreSQL's binary form; no data: null.
struct Parameter {
    const char* data = nullptr;
    int size = 0;
};

// A session of the server, that is made anew when it was lost. Every answer is waited for with a
// deadline. Not thread-safe.
class Connection {
public:
    // Errc::malformed where `conninfo` does not parse, or holds a password.
    static Result<Connection> parse(const std::string& conninfo);

    // Makes the session where there is none. Errc::store_unreachable.
    Result<void> establish();
    // Counts the sessions: what was prepared in an earlier one is gone.
    unsigned session() const { return session_; }
    bool is_cockroach() const;

    // One statement or several, as text; the answer to the last one.
    Result<Answer> run(const std::string& sql);
    Result<void> prepare(const std::string& name, const char* sql);
    Result<Answer> execute(const std::string& name, const std::vector<Parameter>& parameters);

    // Ends the session: it is in no state to go on with.
    void drop() { connection_.reset(); }

private:
    explicit Connection(Owned<PQconninfoOption> options) : options_(std::move(options)) {}
    Result<void> set_up();
    Result<Answer> answer(int sent);
    Error lost();

    Owned<PQconninfoOption> options_;
    Owned<PGconn> connection_;
    unsigned session_ = 0;
};

// SQLSTATE, as Error::detail has it.
constexpr std::uint32_t sqlstate_mark = 0x40000000;
std::uint32_t pack_sqlstate(const char* five);
Error error_of(const PGresult* result);

}  // namespace tallycard::postgres
