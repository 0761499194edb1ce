// SPDX-License-Identifier: Apache-2.0
// A place for a store of its own: a file, or, where $TALLYCARD_TEST_POSTGRES says what to connect
// to (tests/integration/private_postgres.sh), a schema of that database. So the same cases run over
// both; those that are of SQLite's file alone are tagged [sqlite].
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include <tallycard/store.hpp>

#include <sqlite3.h>

#ifdef TALLYCARD_POSTGRES
#include <libpq-fe.h>
#endif

namespace tallycard::test {

// What to connect to; empty: the cases run over SQLite.
inline std::string test_postgres()
{
    const char* conninfo = std::getenv("TALLYCARD_TEST_POSTGRES");
    return conninfo == nullptr ? "" : conninfo;
}

#ifdef TALLYCARD_POSTGRES
// SQL that is none of the library's. The first field of what it answers.
inline std::string run_sql(const std::string& conninfo, const std::string& sql)
{
    const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(conninfo.c_str()),
                                                                PQfinish);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection.get(), sql.c_str()), PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}
#endif

class TestStore {
public:
    explicit TestStore(const std::string& file) : place_(file)
    {
        if (const auto conninfo = test_postgres(); !conninfo.empty()) make_schema(conninfo);
    }

    // As create_store() and open_store() take it.
    const std::string& place() const { return place_; }
    // For libpq; empty over SQLite.
    const std::string& conninfo() const { return conninfo_; }
    Result<std::unique_ptr<Store>> create() const { return create_store(place_); }
    Result<std::unique_ptr<Store>> open(StoreCheck check = StoreCheck::thorough) const
    {
        return open_store(place_, check);
    }

    // What another program does to the store.
    void run(const std::string& sql) const
    {
#ifdef TALLYCARD_POSTGRES
        if (!conninfo_.empty()) {
            run_sql(conninfo_, sql);
            return;
        }
#endif
        sqlite3* database = nullptr;
        const bool done =
            sqlite3_open_v2(place_.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) ==
                SQLITE_OK &&
            sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
        sqlite3_close(database);
        if (!done) throw std::runtime_error("SQLite refused: " + sql);
    }

private:
    void make_schema(const std::string& conninfo)
    {
#ifdef TALLYCARD_POSTGRES
        static int count = 0;
        const auto schema = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
        run_sql(conninfo, "CREATE SCHEMA " + schema);
        conninfo_ = conninfo + " options=-csearch_path=" + schema;
        place_ = "postgres:" + conninfo_;
#else
        throw std::runtime_error("built without PostgreSQL, which was asked for: " + conninfo);
#endif
    }
    std::string place_, conninfo_;
};

}  // namespace tallycard::test
