// SPDX-License-Identifier: Apache-2.0
#include "sqlite_database.hpp"

#include <utility>

namespace tallycard::sqlite {

Error error_of(int code)
{
    auto what = Errc::store_failed;
    switch (code & 0xFF) {
    case SQLITE_BUSY: what = Errc::file_in_use; break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH: return damaged();
    case SQLITE_CONSTRAINT: what = Errc::conflict; break;
    default: break;
    }
    return Error{.code = what, .detail = static_cast<std::uint32_t>(code), .where = "SQLite"};
}

Error damaged()
{
    return Error{.code = Errc::file_damaged, .where = "store"};
}

Query::~Query()
{
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Query::check(int code)
{
    if (code != SQLITE_OK && failure_ == SQLITE_OK) failure_ = code;
}

Query& Query::bind(std::int64_t value)
{
    check(sqlite3_bind_int64(statement_, ++parameter_, value));
    return *this;
}

Query& Query::bind(std::span<const std::uint8_t> bytes)
{
    check(sqlite3_bind_blob(statement_, ++parameter_, bytes.data(), static_cast<int>(bytes.size()),
                            SQLITE_STATIC));
    return *this;
}

Query& Query::bind(std::string_view text)
{
    check(sqlite3_bind_text(statement_, ++parameter_, text.data(), static_cast<int>(text.size()),
                            SQLITE_STATIC));
    return *this;
}

Query& Query::bind_null()
{
    check(sqlite3_bind_null(statement_, ++parameter_));
    return *this;
}

Result<Query::Step> Query::step()
{
    if (statement_ == nullptr) return error_of(sqlite3_extended_errcode(database_));
    if (failure_ != SQLITE_OK) return error_of(failure_);
    column_ = 0;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return Step::row;
    if (code == SQLITE_DONE) return Step::done;
    return error_of(sqlite3_extended_errcode(database_));
}

Result<void> Query::run()
{
    const auto stepped = step();
    if (!stepped) return stepped.error();
    return {};
}

std::int64_t Query::number()
{
    require(sqlite3_column_type(statement_, column_) == SQLITE_INTEGER);
    return sqlite3_column_int64(statement_, column_++);
}

std::string_view Query::text()
{
    require(sqlite3_column_type(statement_, column_) == SQLITE_TEXT);
    const auto* characters = sqlite3_column_text(statement_, column_);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_++));
    require(characters != nullptr);  // else there was no memory for it
    if (characters == nullptr) return {};
    return {reinterpret_cast<const char*>(characters), size};
}

std::span<const std::uint8_t> Query::blob()
{
    require(sqlite3_column_type(statement_, column_) == SQLITE_BLOB);
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column_));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column_++));
    if (bytes == nullptr) return {};
    return {bytes, size};
}

bool Query::next_is_null() const
{
    return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

Result<Database> Database::open(const std::string& path)
{
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(handle);
    if (code != SQLITE_OK) return error_of(code);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 10'000);
    const int prepared = sqlite3_prepare_v3(handle, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT,
                                            &database.roll_back_, nullptr);
    if (prepared != SQLITE_OK) return error_of(prepared);
    return database;
}

Database::Database(Database&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)),
      roll_back_(std::exchange(other.roll_back_, nullptr)),
      statements_(std::exchange(other.statements_, {}))
{
}

Database::~Database()
{
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_finalize(roll_back_);
    sqlite3_close(database_);
}

Query Database::query(const char* sql)
{
    auto& statement = statements_[sql];
    if (statement == nullptr)
        sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    return {database_, statement};
}

Result<void> Database::run(const char* sql)
{
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return error_of(sqlite3_extended_errcode(database_));
    return {};
}

void Database::roll_back() noexcept
{
    if (sqlite3_get_autocommit(database_) != 0) return;
    sqlite3_step(roll_back_);
    sqlite3_reset(roll_back_);
}

Result<std::int64_t> Database::number(const char* sql)
{
    auto found = query(sql);
    const auto stepped = found.step();
    if (!stepped) return stepped.error();
    if (*stepped != Query::Step::row) return damaged();
    const auto value = found.number();
    if (!found.ok()) return damaged();
    return value;
}

Result<std::string> Database::text(const char* sql)
{
    auto found = query(sql);
    const auto stepped = found.step();
    if (!stepped) return stepped.error();
    if (*stepped != Query::Step::row) return damaged();
    std::string value(found.text());
    if (!found.ok()) return damaged();
    return value;
}

}  // namespace tallycard::sqlite
