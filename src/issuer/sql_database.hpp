// SPDX-License-Identifier: Apache-2.0
// What SqliteStore and PostgresStore have in common: statements prepared once, values typed,
// failures as Errors. The SQL is one that both take; parameters are $1, $2, ... in that order.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

namespace tallycard::sql {

enum class Step : std::uint8_t { row, done };

// A prepared statement. Parameters count from 1, columns from 0.
class Statement {
public:
    Statement() = default;
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    virtual ~Statement();

    // The bytes must stay until the next reset(). What fails stays failed: step() says.
    virtual void bind(int parameter, std::int64_t value) = 0;
    virtual void bind(int parameter, std::span<const std::uint8_t> bytes) = 0;
    virtual void bind(int parameter, std::string_view text) = 0;
    virtual void bind_null(int parameter) = 0;
    virtual Result<Step> step() = 0;
    // Of the rows that a statement without a result changed.
    virtual Result<std::uint64_t> change() = 0;
    virtual void reset() = 0;

    // Of the row that step() found; empty where the column is of another type.
    virtual std::optional<std::int64_t> number(int column) = 0;
    virtual std::optional<std::string_view> text(int column) = 0;
    virtual std::optional<std::span<const std::uint8_t>> blob(int column) = 0;
    virtual bool is_null(int column) = 0;
};

// One use of a prepared statement; the statement is ready for the next use when this ends.
class Query {
public:
    explicit Query(Statement& statement) : statement_(&statement) {}
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    ~Query() { statement_->reset(); }

    // In the order of the parameters. The bytes must outlive the query.
    template <class Value>
    Query& bind(const Value& value)
    {
        statement_->bind(++parameter_, value);
        return *this;
    }
    Query& bind(bool value) { return bind(std::int64_t{value}); }
    Query& bind_null()
    {
        statement_->bind_null(++parameter_);
        return *this;
    }

    // Whether there is a row to read. Where none is expected, run().
    Result<Step> step()
    {
        column_ = 0;
        return statement_->step();
    }
    Result<void> run();
    Result<void> run_for_one();  // Errc::conflict where it did not change exactly one row

    // The columns of the row, from the left. ok() afterwards: each was there in that form.
    std::int64_t number() { return known(statement_->number(column_++)); }
    std::uint64_t count() { return static_cast<std::uint64_t>(number()); }
    std::string_view text() { return known(statement_->text(column_++)); }
    std::span<const std::uint8_t> blob() { return known(statement_->blob(column_++)); }
    bool next_is_null() const { return statement_->is_null(column_); }
    void skip() { ++column_; }
    template <class T>
    T bytes()
    {
        const auto value = blob();
        require(value.size() == T::size);
        return value.size() == T::size ? T(value.first<T::size>()) : T{};
    }
    void require(bool condition)
    {
        if (!condition) ok_ = false;
    }
    bool ok() const { return ok_; }

private:
    template <class T>
    T known(std::optional<T> value)
    {
        require(value.has_value());
        return value.value_or(T{});
    }
    Statement* statement_;
    int parameter_ = 0, column_ = 0;
    bool ok_ = true;
};

// A connection. Not thread-safe.
class Database {
public:
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    virtual ~Database();

    // `sql` is a literal: statements are found by its address.
    Query query(const char* sql) { return Query(statement(sql)); }
    Result<std::int64_t> number(const char* sql);
    Result<std::string> text(const char* sql);
    virtual Result<void> run(const std::string& sql) = 0;  // one statement or several, no rows

    virtual Result<void> commit() = 0;
    virtual void roll_back() = 0;

private:
    virtual Statement& statement(const char* sql) = 0;
};

Error damaged();

}  // namespace tallycard::sql
