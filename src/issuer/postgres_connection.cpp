// SPDX-License-Identifier: Apache-2.0
#include "postgres_connection.hpp"

#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace tallycard::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// Summing up all of a very large store takes minutes.
constexpr std::chrono::minutes longest_answer{5};

// Set where the user has not: a server that is gone is noticed within seconds.
struct Default {
    const char* keyword;
    const char* value;
    const char* variable;  // of the environment, that says so, too
};
constexpr std::array defaults{
    Default{"connect_timeout", "5", "PGCONNECT_TIMEOUT"},
    Default{"tcp_user_timeout", "10000", nullptr},
    Default{"keepalives_idle", "10", nullptr},
    Default{"keepalives_interval", "3", nullptr},
    Default{"keepalives_count", "3", nullptr},
    Default{"client_encoding", "UTF8", nullptr},
    Default{"fallback_application_name", "tallycard", nullptr},
};

bool is_service(const PQconninfoOption* option)
{
    return std::string_view(option->keyword) == "service" && option->val != nullptr;
}

// Whether the socket is ready before the deadline; false also where it failed.
bool wait(const PGconn* connection, short events, Clock::time_point deadline)
{
    pollfd socket{.fd = PQsocket(connection), .events = events, .revents = 0};
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) return false;
        const int ready = ::poll(&socket, 1, static_cast<int>(left));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

// Sends what is still to be sent, taking in what comes meanwhile.
bool flush(PGconn* connection, Clock::time_point deadline)
{
    for (;;) {
        const int left = PQflush(connection);
        if (left <= 0) return left == 0;
        if (!wait(connection, POLLIN | POLLOUT, deadline)) return false;
        if (PQconsumeInput(connection) == 0) return false;
    }
}

// Waits until PQgetResult() does not.
bool receive(PGconn* connection, Clock::time_point deadline)
{
    while (PQisBusy(connection) != 0) {
        if (!wait(connection, POLLIN, deadline)) return false;
        if (PQconsumeInput(connection) == 0) return false;
    }
    return true;
}

bool is_good(const PGresult* result)
{
    const auto status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

Errc code_of(std::string_view state)
{
    if (state == "40001" || state == "40P01") return Errc::store_busy;
    if (state == "55P03") return Errc::file_in_use;
    // The server stops, starts, ended the session, or is one that cannot write (a standby).
    if (state.starts_with("08") || state.starts_with("57P") || state == "25P03" || state == "25006")
        return Errc::store_unreachable;
    if (state.starts_with("23")) return Errc::conflict;
    if (state == "XX001" || state == "XX002") return Errc::file_damaged;
    return Errc::store_failed;
}

}  // namespace

std::uint32_t pack_sqlstate(const char* five)
{
    std::uint32_t packed = 0;
    for (int i = 0; i < 5; ++i)
        packed = packed << 6 | (static_cast<std::uint32_t>(five[i] - '0') & 0x3F);
    return packed | sqlstate_mark;
}

Error error_of(const PGresult* result)
{
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == nullptr || std::strlen(state) != 5)
        return Error{.code = Errc::store_unreachable, .where = "PostgreSQL"};
    return Error{.code = code_of(state), .detail = pack_sqlstate(state), .where = "PostgreSQL"};
}

Result<Connection> Connection::parse(const std::string& conninfo)
{
    char* text = nullptr;
    Owned<PQconninfoOption> options(PQconninfoParse(conninfo.c_str(), &text));
    const Owned<char> message(text);  // may quote a password: nobody gets it
    if (options == nullptr)
        return Error{.code = Errc::malformed, .where = "connection of the store"};
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        const std::string_view keyword(option->keyword);
        if ((keyword == "password" || keyword == "sslpassword") && option->val != nullptr) {
            return Error{.code = Errc::malformed,
                         .where =
                             "connection of the store, which holds a password (use a "
                             "password file, a service file or PGPASSWORD)"};
        }
    }
    return Connection(std::move(options));
}

Error Connection::lost()
{
    drop();
    return Error{.code = Errc::store_unreachable, .where = "PostgreSQL"};
}

Result<void> Connection::establish()
{
    if (connection_ != nullptr && PQstatus(connection_.get()) == CONNECTION_OK) return {};
    std::vector<const char*> keywords, values;
    bool has_service = std::getenv("PGSERVICE") != nullptr;
    for (const auto* option = options_.get(); option->keyword != nullptr; ++option)
        has_service = has_service || is_service(option);
    // What comes later counts. A service file has all in it.
    for (const auto& [keyword, value, variable] : defaults) {
        if (has_service || (variable != nullptr && std::getenv(variable) != nullptr)) continue;
        keywords.push_back(keyword);
        values.push_back(value);
    }
    for (const auto* option = options_.get(); option->keyword != nullptr; ++option) {
        if (option->val == nullptr) continue;
        keywords.push_back(option->keyword);
        values.push_back(option->val);
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 0));
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        const bool needs_password = PQconnectionNeedsPassword(connection_.get()) != 0;
        auto error = lost();
        if (needs_password) error.where = "PostgreSQL, which asks for a password";
        return error;
    }
    ++session_;
    PQsetNoticeReceiver(
        connection_.get(), [](void*, const PGresult*) {}, nullptr);
    if (PQsetnonblocking(connection_.get(), 1) != 0) return lost();
    const auto ready = set_up();
    if (!ready) drop();
    return ready;
}

// What is durable, and how long others may be waited for, is not left to the server's settings.
Result<void> Connection::set_up()
{
    const auto durable = run("SHOW synchronous_commit");
    if (!durable && durable.error().code == Errc::store_unreachable) return durable.error();
    const bool is_off = durable && PQntuples(durable->get()) == 1 &&
                        std::string_view(PQgetvalue(durable->get(), 0, 0)) == "off";
    if (is_off)
        if (const auto set = run("SET synchronous_commit = on"); !set) return set.error();
    // Engines other than PostgreSQL may not know these.
    for (const char* wish :
         {"SET lock_timeout = 10000", "SET idle_in_transaction_session_timeout = 60000"}) {
        const auto set = run(wish);
        if (!set && set.error().code == Errc::store_unreachable) return set.error();
    }
    return {};
}

bool Connection::is_cockroach() const
{
    return connection_ != nullptr &&
           PQparameterStatus(connection_.get(), "crdb_version") != nullptr;
}

Result<Answer> Connection::answer(int sent)
{
    const auto deadline = Clock::now() + longest_answer;
    if (sent == 0 || !flush(connection_.get(), deadline)) return lost();
    Answer last, failed;
    for (;;) {
        if (!receive(connection_.get(), deadline)) {
            // What it said last is why it went: that it stops, or ended the session.
            auto error = lost();
            if (failed != nullptr) error.detail = error_of(failed.get()).detail;
            return error;
        }
        Answer next(PQgetResult(connection_.get()));
        if (next == nullptr) break;
        if (!is_good(next.get())) {
            failed = std::move(next);
        } else if (failed == nullptr) {
            last = std::move(next);
        }
    }
    if (failed != nullptr) {
        const auto error = error_of(failed.get());
        if (error.code == Errc::store_unreachable) drop();
        return error;
    }
    if (last == nullptr) return lost();
    return last;
}

Result<Answer> Connection::run(const std::string& sql)
{
    if (connection_ == nullptr) return lost();
    return answer(PQsendQuery(connection_.get(), sql.c_str()));
}

Result<void> Connection::prepare(const std::string& name, const char* sql)
{
    if (connection_ == nullptr) return lost();
    const auto done = answer(PQsendPrepare(connection_.get(), name.c_str(), sql, 0, nullptr));
    if (!done) return done.error();
    return {};
}

Result<Answer> Connection::execute(const std::string& name,
                                   const std::vector<Parameter>& parameters)
{
    if (connection_ == nullptr) return lost();
    std::vector<const char*> values;
    std::vector<int> sizes;
    for (const auto& parameter : parameters) {
        values.push_back(parameter.data);
        sizes.push_back(parameter.size);
    }
    const std::vector<int> formats(parameters.size(), 1);
    return answer(PQsendQueryPrepared(connection_.get(), name.c_str(),
                                      static_cast<int>(parameters.size()), values.data(),
                                      sizes.data(), formats.data(), 1));
}

}  // namespace tallycard::postgres
