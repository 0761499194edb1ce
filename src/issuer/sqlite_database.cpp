// SPDX-License-Identifier: Apache-2.0
#include "sqlite_database.hpp"

namespace tallycard::sqlite {
namespace {

Error error_of(int code)
{
    auto what = Errc::store_failed;
    switch (code & 0xFF) {
    case SQLITE_BUSY: what = Errc::file_in_use; break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH: return sql::damaged();
    case SQLITE_CONSTRAINT: what = Errc::conflict; break;
    default: break;
    }
    return Error{.code = what, .detail = static_cast<std::uint32_t>(code), .where = "SQLite"};
}

}  // namespace

class Statement final : public sql::Statement {
public:
    Statement(sqlite3* database, const char* sql) : database_(database)
    {
        unprepared_ =
            sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement() override { sqlite3_finalize(statement_); }

    void bind(int parameter, std::int64_t value) override
    {
        check(sqlite3_bind_int64(statement_, parameter, value));
    }
    void bind(int parameter, std::span<const std::uint8_t> bytes) override
    {
        check(sqlite3_bind_blob(statement_, parameter, bytes.data(), static_cast<int>(bytes.size()),
                                SQLITE_STATIC));
    }
    void bind(int parameter, std::string_view text) override
    {
        check(sqlite3_bind_text(statement_, parameter, text.data(), static_cast<int>(text.size()),
                                SQLITE_STATIC));
    }
    void bind_null(int parameter) override { check(sqlite3_bind_null(statement_, parameter)); }

    bool is_prepared() const { return statement_ != nullptr; }

    Result<sql::Step> step() override
    {
        if (statement_ == nullptr) return error_of(unprepared_);
        if (failure_ != SQLITE_OK) return error_of(failure_);
        const int code = sqlite3_step(statement_);
        if (code == SQLITE_ROW) return sql::Step::row;
        if (code == SQLITE_DONE) return sql::Step::done;
        return error_of(sqlite3_extended_errcode(database_));
    }
    Result<std::uint64_t> change() override
    {
        const auto stepped = step();
        if (!stepped) return stepped.error();
        return static_cast<std::uint64_t>(sqlite3_changes(database_));
    }
    void reset() override
    {
        failure_ = SQLITE_OK;
        if (statement_ == nullptr) return;
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }

    std::optional<std::int64_t> number(int column) override
    {
        if (sqlite3_column_type(statement_, column) != SQLITE_INTEGER) return std::nullopt;
        return sqlite3_column_int64(statement_, column);
    }
    std::optional<std::string_view> text(int column) override
    {
        if (sqlite3_column_type(statement_, column) != SQLITE_TEXT) return std::nullopt;
        const auto* characters = sqlite3_column_text(statement_, column);
        if (characters == nullptr) return std::nullopt;
        return std::string_view(reinterpret_cast<const char*>(characters), size_of(column));
    }
    std::optional<std::span<const std::uint8_t>> blob(int column) override
    {
        if (sqlite3_column_type(statement_, column) != SQLITE_BLOB) return std::nullopt;
        const auto* bytes =
            static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
        if (bytes == nullptr) return std::span<const std::uint8_t>();
        return std::span(bytes, size_of(column));
    }
    bool is_null(int column) override
    {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }

private:
    std::size_t size_of(int column)
    {
        return static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    }
    void check(int code)
    {
        if (code != SQLITE_OK && failure_ == SQLITE_OK) failure_ = code;
    }
    sqlite3* database_;
    sqlite3_stmt* statement_ = nullptr;
    int failure_ = SQLITE_OK, unprepared_ = SQLITE_OK;
};

Result<std::unique_ptr<Database>> Database::open(const std::string& path)
{
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    std::unique_ptr<Database> database(new Database(handle));
    if (code != SQLITE_OK) return error_of(code);
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 10'000);
    const int prepared = sqlite3_prepare_v3(handle, "ROLLBACK", -1, SQLITE_PREPARE_PERSISTENT,
                                            &database->roll_back_, nullptr);
    if (prepared != SQLITE_OK) return error_of(prepared);
    return database;
}

Database::Database(sqlite3* database) : database_(database) {}

Database::~Database()
{
    statements_.clear();
    sqlite3_finalize(roll_back_);
    sqlite3_close(database_);
}

Result<void> Database::commit()
{
    const auto done = query("COMMIT").run();
    commit_is_in_doubt_ = !done.has_value();
    return done;
}

void Database::roll_back()
{
    if (sqlite3_get_autocommit(database_) != 0) return;
    sqlite3_step(roll_back_);
    sqlite3_reset(roll_back_);
}

sql::Statement& Database::statement(const char* sql)
{
    auto& statement = statements_[sql];
    // What could not be prepared once, for want of memory, may be the next time.
    if (statement == nullptr || !statement->is_prepared())
        statement = std::make_unique<Statement>(database_, sql);
    return *statement;
}

Result<void> Database::run(const std::string& sql)
{
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return error_of(sqlite3_extended_errcode(database_));
    return {};
}

}  // namespace tallycard::sqlite
