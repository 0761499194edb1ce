// SPDX-License-Identifier: Apache-2.0
#include "postgres_store.hpp"

#include <charconv>
#include <cstring>

#include "postgres_database.hpp"
#include "sql_schema.hpp"
#include "sql_transaction.hpp"

namespace tallycard {
namespace postgres {
namespace {

constexpr const char* make_version_table =
    "CREATE TABLE tallycard_store(one BIGINT PRIMARY KEY CHECK(one = 1), version BIGINT NOT NULL)";

// The lock comes before the snapshot, which the first SELECT takes: whoever has had its turn sees
// all that was written before it.
constexpr const char* begin_turn =
    "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE tallycard_store IN SHARE ROW EXCLUSIVE MODE; "
    "SELECT version FROM tallycard_store";
constexpr const char* begin_optimistic =
    "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT version FROM tallycard_store";
constexpr const char* begin_reading =
    "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; SELECT version FROM tallycard_store";

sql::Dialect dialect_of(const Connection& connection)
{
    return {.number = "BIGINT",
            .bytes = "BYTEA",
            .name = connection.is_cockroach() ? "TEXT" : "TEXT COLLATE \"C\"",
            .row_number = "",
            .rows = "",
            .keyed = ""};
}

bool has_state(const Error& error, const char* sqlstate)
{
    return error.detail == pack_sqlstate(sqlstate);
}

// The version in the last answer.
Result<std::int64_t> version_in(const Answer& answer)
{
    if (PQntuples(answer.get()) != 1 || PQnfields(answer.get()) != 1) return sql::damaged();
    const char* text = PQgetvalue(answer.get(), 0, 0);
    std::int64_t version = 0;
    std::from_chars(text, text + std::strlen(text), version);
    return version;
}

// A transaction that has begun, or why not; the session is in none then.
Result<std::int64_t> begin(Database& database, const char* sql)
{
    auto& connection = database.connection();
    if (const auto there = connection.establish(); !there) return there.error();
    auto answer = connection.run(sql);
    if (!answer && answer.error().code == Errc::store_unreachable) {
        // The session had ended since the last transaction: nothing is lost by that.
        if (const auto there = connection.establish(); !there) return there.error();
        answer = connection.run(sql);
    }
    const auto version = answer ? version_in(*answer) : Result<std::int64_t>(answer.error());
    if (!version) {
        database.roll_back();
        auto error = version.error();
        if (has_state(error, "42P01"))
            error = Error{.code = Errc::file_missing, .where = "tables of the store"};
        return error;
    }
    return version;
}

class PostgresStore final : public Store {
public:
    PostgresStore(std::unique_ptr<Database> database, Turns turns)
        : database_(std::move(database)), turns_(turns)
    {
    }
    Result<std::unique_ptr<StoreTransaction>> write() override
    {
        return checked(turns_ == Turns::queue ? begin_turn : begin_optimistic);
    }
    Result<std::unique_ptr<StoreTransaction>> read() override { return checked(begin_reading); }

private:
    // Another process may have replaced the tables since: they are no longer ours to use.
    Result<std::unique_ptr<StoreTransaction>> checked(const char* sql)
    {
        // Before it begins: where there is no memory for it, none stays open.
        auto transaction = std::make_unique<sql::Transaction>(*database_);
        const auto version = begin(*database_, sql);
        if (!version) return version.error();
        if (const auto known = sql::check_version(*version); !known) return known.error();
        return std::unique_ptr<StoreTransaction>(std::move(transaction));
    }
    std::unique_ptr<Database> database_;
    Turns turns_;
};

Result<std::unique_ptr<Database>> connect(const std::string& conninfo)
{
    auto connection = Connection::parse(conninfo);
    if (!connection) return connection.error();
    if (const auto there = connection->establish(); !there) return there.error();
    return std::make_unique<Database>(std::move(*connection));
}

// Whether the server lets us queue. One that someone else holds right now does.
Result<Turns> possible_turns(Database& database)
{
    const auto locked = database.run(
        "BEGIN; LOCK TABLE tallycard_store IN SHARE ROW EXCLUSIVE MODE NOWAIT; COMMIT");
    if (locked) return Turns::queue;
    database.roll_back();
    const auto& error = locked.error();
    if (error.code == Errc::file_in_use) return Turns::queue;
    for (const char* cannot : {"0A000", "42601", "42501"})
        if (has_state(error, cannot)) return Turns::optimistic;
    return error;
}

Result<void> write_version(Database& database)
{
    return database.run("UPDATE tallycard_store SET version = " +
                        std::to_string(sql::schema_version));
}

Result<void> make_tables(Database& database)
{
    if (const auto begun = database.run("BEGIN ISOLATION LEVEL SERIALIZABLE"); !begun) return begun;
    if (const auto made = database.run(make_version_table); !made) return made;
    if (const auto put = database.run("INSERT INTO tallycard_store(one, version) VALUES(1, 0)");
        !put)
        return put;
    const auto dialect = dialect_of(database.connection());
    if (const auto done = sql::make_tables(database, dialect); !done) return done;
    if (const auto done = write_version(database); !done) return done;
    return database.commit();
}

}  // namespace

Result<std::unique_ptr<Store>> open(const std::string& conninfo, Turns turns)
{
    auto database = connect(conninfo);
    if (!database) return database.error();
    // First that there are tables: what cannot be locked would be taken for a server without locks.
    const auto version = begin(**database, begin_reading);
    if (!version) return version.error();
    (*database)->roll_back();
    if (const auto known = sql::check_version(*version); !known) return known.error();
    const auto possible = possible_turns(**database);
    if (!possible) return possible.error();
    if (*possible == Turns::optimistic) turns = Turns::optimistic;
    return std::unique_ptr<Store>(std::make_unique<PostgresStore>(std::move(*database), turns));
}

}  // namespace postgres

Result<std::unique_ptr<Store>> create_postgres_store(const std::string& conninfo)
{
    auto database = postgres::connect(conninfo);
    if (!database) return database.error();
    if (const auto made = postgres::make_tables(**database); !made) {
        (*database)->roll_back();
        auto error = made.error();
        // A table of the name is there; or someone else is making it at this moment.
        if (postgres::has_state(error, "42P07") || error.code == Errc::conflict)
            error = Error{.code = Errc::file_exists, .where = "tables of the store"};
        return error;
    }
    database->reset();
    return open_postgres_store(conninfo);
}

Result<std::unique_ptr<Store>> open_postgres_store(const std::string& conninfo)
{
    return postgres::open(conninfo, postgres::Turns::queue);
}

std::string explain_postgres(const std::string& conninfo)
{
    if (!postgres::Connection::parse(conninfo)) return "";
    const postgres::Owned<PGconn> connection(PQconnectdb(conninfo.c_str()));
    std::string text(PQerrorMessage(connection.get()));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace tallycard
