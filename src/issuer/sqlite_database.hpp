// SPDX-License-Identifier: Apache-2.0
// A thin layer over SQLite: statements prepared once, values typed, failures as Errors.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

namespace tallycard::sqlite {

// One use of a prepared statement; the statement is ready for the next use when this ends. What
// fails stays failed: bind and step freely, the last step says.
class Query {
public:
    Query(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement)
    {
    }
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    ~Query();

    // In the order of the question marks. The bytes must outlive the query.
    Query& bind(std::int64_t value);
    Query& bind(std::span<const std::uint8_t> bytes);
    Query& bind(std::string_view text);
    Query& bind_null();

    // Whether there is a row to read. Where none is expected, run().
    enum class Step : std::uint8_t { row, done };
    Result<Step> step();
    Result<void> run();

    // The columns of the row, from the left. ok() afterwards: each was there in that form.
    std::int64_t number();
    std::uint64_t count() { return static_cast<std::uint64_t>(number()); }
    std::string_view text();
    std::span<const std::uint8_t> blob();
    bool next_is_null() const;
    void skip() { ++column_; }
    template <class T>
    T bytes()
    {
        const auto value = blob();
        if (value.size() != T::size) {
            ok_ = false;
            return T{};
        }
        return T(value.first<T::size>());
    }
    void require(bool condition)
    {
        if (!condition) ok_ = false;
    }
    bool ok() const { return ok_; }

private:
    void check(int code);
    sqlite3* database_;
    sqlite3_stmt* statement_;
    int parameter_ = 0, column_ = 0, failure_ = SQLITE_OK;
    bool ok_ = true;
};

// An open database file. Statements are prepared once and kept. Not thread-safe.
class Database {
public:
    static Result<Database> open(const std::string& path);
    Database(Database&& other) noexcept;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    Database& operator=(Database&&) = delete;
    ~Database();

    // `sql` is a literal: statements are found by its address.
    Query query(const char* sql);
    Result<void> run(const char* sql);  // one statement or several, no rows
    Result<std::int64_t> number(const char* sql);
    Result<std::string> text(const char* sql);
    // Ends a transaction that is open. Allocates nothing, and so works when nothing else does.
    void roll_back() noexcept;

private:
    explicit Database(sqlite3* database) : database_(database) {}
    sqlite3* database_;
    sqlite3_stmt* roll_back_ = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

Error error_of(int code);
Error damaged();

}  // namespace tallycard::sqlite
