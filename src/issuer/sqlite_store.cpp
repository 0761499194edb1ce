// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include <tallycard/store.hpp>

#include "files.hpp"
#include "sql_schema.hpp"
#include "sql_transaction.hpp"
#include "sqlite_database.hpp"

namespace tallycard {
namespace {

using sqlite::Database;

constexpr std::int64_t application = 0x74616C79;

constexpr sql::Dialect dialect{.number = "INTEGER",
                               .bytes = "BLOB",
                               .name = "TEXT",
                               .row_number = "serial INTEGER PRIMARY KEY,",
                               .rows = "STRICT",
                               .keyed = "STRICT, WITHOUT ROWID"};

// Always writes a page, also where the version is there already.
Result<void> write_version(Database& database)
{
    return database.run("PRAGMA user_version = " + std::to_string(sql::schema_version));
}

class SqliteStore final : public Store {
public:
    explicit SqliteStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
    Result<std::unique_ptr<StoreTransaction>> write() override
    {
        auto begun = begin("BEGIN IMMEDIATE");
        if (!begun) return begun;
        if (const auto ours = check_version(); !ours) return ours.error();
        return begun;
    }
    Result<std::unique_ptr<StoreTransaction>> read() override { return begin("BEGIN"); }

private:
    Result<std::unique_ptr<StoreTransaction>> begin(const char* sql)
    {
        // Before it begins: where there is no memory for it, none stays open.
        auto transaction = std::make_unique<sql::Transaction>(*database_);
        // One that could not be rolled back, since something failed then, may be open still.
        database_->roll_back();
        if (const auto settled = settle_failed_commit(); !settled) return settled.error();
        if (const auto begun = database_->query(sql).run(); !begun) return begun.error();
        return std::unique_ptr<StoreTransaction>(std::move(transaction));
    }
    // A crash may bring back a commit that failed, for as long as nothing was written after it. No
    // answer may rest on its being gone: one that only reads neither.
    Result<void> settle_failed_commit()
    {
        if (!database_->commit_is_in_doubt()) return {};
        if (const auto begun = database_->run("BEGIN IMMEDIATE"); !begun) return begun;
        const auto written = write_over();
        if (!written) database_->roll_back();
        return written;
    }
    Result<void> write_over()
    {
        if (const auto ours = check_version(); !ours) return ours;
        if (const auto written = write_version(*database_); !written) return written;
        return database_->commit();
    }
    // Another process may have replaced the file's tables since: it is no longer ours to write.
    Result<void> check_version()
    {
        const auto version = database_->number("PRAGMA user_version");
        if (!version) return version.error();
        return sql::check_version(*version);
    }
    std::unique_ptr<Database> database_;
};

// Errc::conflict means something else to our callers than a broken rule of SQLite.
Error as_file_error(Error error)
{
    if (error.code == Errc::conflict) error.code = Errc::file_damaged;
    return error;
}

Result<void> make_in_transaction(Database& database)
{
    if (const auto made = sql::make_tables(database, dialect); !made) return made;
    if (const auto written = write_version(database); !written) return written;
    return database.commit();
}

Result<void> make_schema(const std::string& path)
{
    const auto database = Database::open(path);
    if (!database) return database.error();
    const auto made = (*database)->run("PRAGMA synchronous = FULL; PRAGMA application_id = " +
                                       std::to_string(application));
    if (!made) return made;
    if (const auto begun = (*database)->run("BEGIN IMMEDIATE"); !begun) return begun;
    auto done = make_in_transaction(**database);
    if (!done) (*database)->roll_back();
    return done;
}

Result<void> check_content(Database& database, StoreCheck check)
{
    const auto id = database.number("PRAGMA application_id");
    if (!id) return id.error();
    if (*id != application) return sql::damaged();
    const auto version = database.number("PRAGMA user_version");
    if (!version) return version.error();
    if (const auto known = sql::check_version(*version); !known) return known;
    if (check == StoreCheck::quick) return {};
    const auto verdict = database.text("PRAGMA integrity_check(1)");
    if (!verdict) return verdict.error();
    if (*verdict != "ok") return sql::damaged();
    return {};
}

// What a store of ours is opened with.
Result<void> set_up(Database& database)
{
    const auto mode = database.text("PRAGMA journal_mode = WAL");
    if (!mode) return mode.error();
    if (*mode != "wal") return Error{.code = Errc::store_failed, .where = "journal_mode"};
    return database.run(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
        "PRAGMA cell_size_check = ON");
}

}  // namespace

Result<std::unique_ptr<Store>> create_sqlite_store(const std::string& path)
{
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0)
        return Error{.code = Errc::file_exists, .where = "store"};
    auto place = files::Replacement::begin(path);
    if (!place) return place.error();
    if (const auto made = make_schema(place->temporary()); !made)
        return as_file_error(made.error());
    if (const auto placed = place->commit_if_new(); !placed) return placed.error();
    return open_sqlite_store(path, StoreCheck::quick);
}

Result<std::unique_ptr<Store>> open_sqlite_store(const std::string& path, StoreCheck check)
{
    if (::access(path.c_str(), F_OK) != 0) {
        return Error{.code = Errc::file_missing,
                     .detail = static_cast<std::uint32_t>(errno),
                     .where = "store"};
    }
    auto database = Database::open(path);
    if (!database) return as_file_error(database.error());
    if (const auto checked = check_content(**database, check); !checked)
        return as_file_error(checked.error());
    if (const auto set = set_up(**database); !set) return as_file_error(set.error());
    return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(*database)));
}

}  // namespace tallycard
