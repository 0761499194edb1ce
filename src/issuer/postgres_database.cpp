// SPDX-License-Identifier: Apache-2.0
#include "postgres_database.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

namespace tallycard::postgres {
namespace {

// The numbers of types never change: PostgreSQL's catalogue, pg_type.dat.
constexpr Oid type_bytea = 17, type_int8 = 20, type_text = 25;

class Statement final : public sql::Statement {
public:
    Statement(Connection& connection, std::string name, const char* sql)
        : connection_(&connection), name_(std::move(name)), sql_(sql)
    {
    }

    void bind(int parameter, std::int64_t value) override
    {
        auto& bound = place(parameter);
        auto rest = static_cast<std::uint64_t>(value);
        for (auto byte = bound.number.rbegin(); byte != bound.number.rend(); ++byte, rest >>= 8)
            *byte = static_cast<char>(rest & 0xFF);
        bound.is_number = true;
    }
    void bind(int parameter, std::span<const std::uint8_t> bytes) override
    {
        place(parameter).bytes = {reinterpret_cast<const char*>(bytes.data()),
                                  static_cast<int>(bytes.size())};
    }
    void bind(int parameter, std::string_view text) override
    {
        place(parameter).bytes = {text.data(), static_cast<int>(text.size())};
    }
    void bind_null(int parameter) override { place(parameter); }

    Result<sql::Step> step() override
    {
        if (answer_ == nullptr) {
            auto answer = execute();
            if (!answer) return answer.error();
            answer_ = std::move(*answer);
            row_ = 0;
        } else {
            ++row_;
        }
        return row_ < PQntuples(answer_.get()) ? sql::Step::row : sql::Step::done;
    }
    Result<std::uint64_t> change() override
    {
        const auto answer = execute();
        if (!answer) return answer.error();
        const std::string_view text(PQcmdTuples(answer->get()));
        std::uint64_t rows = 0;
        std::from_chars(text.data(), text.data() + text.size(), rows);
        return rows;
    }
    void reset() override
    {
        bound_.clear();
        answer_.reset();
    }

    std::optional<std::int64_t> number(int column) override
    {
        if (!is_there(column, type_int8) || size_of(column) != 8) return std::nullopt;
        std::uint64_t value = 0;
        for (const auto byte : bytes_of(column)) value = value << 8 | byte;
        return static_cast<std::int64_t>(value);
    }
    std::optional<std::string_view> text(int column) override
    {
        if (!is_there(column, type_text)) return std::nullopt;
        return std::string_view(PQgetvalue(answer_.get(), row_, column), size_of(column));
    }
    std::optional<std::span<const std::uint8_t>> blob(int column) override
    {
        if (!is_there(column, type_bytea)) return std::nullopt;
        return bytes_of(column);
    }
    bool is_null(int column) override { return PQgetisnull(answer_.get(), row_, column) != 0; }

private:
    struct Bound {
        std::array<char, 8> number{};
        bool is_number = false;
        Parameter bytes;
    };

    Bound& place(int parameter)
    {
        const auto index = static_cast<std::size_t>(parameter) - 1;
        if (index >= bound_.size()) bound_.resize(index + 1);
        return bound_[index];
    }
    bool is_there(int column, Oid type)
    {
        return column < PQnfields(answer_.get()) && PQftype(answer_.get(), column) == type &&
               !is_null(column);
    }
    std::size_t size_of(int column)
    {
        return static_cast<std::size_t>(PQgetlength(answer_.get(), row_, column));
    }
    std::span<const std::uint8_t> bytes_of(int column)
    {
        const auto* data = PQgetvalue(answer_.get(), row_, column);
        return {reinterpret_cast<const std::uint8_t*>(data), size_of(column)};
    }

    Result<Answer> execute()
    {
        if (prepared_in_ != connection_->session()) {
            if (const auto done = connection_->prepare(name_, sql_); !done) return done.error();
            prepared_in_ = connection_->session();
        }
        std::vector<Parameter> parameters;
        parameters.reserve(bound_.size());
        for (const auto& bound : bound_) {
            parameters.push_back(bound.is_number ? Parameter{bound.number.data(), 8} : bound.bytes);
        }
        return connection_->execute(name_, parameters);
    }

    Connection* connection_;
    std::string name_;
    const char* sql_;
    unsigned prepared_in_ = 0;
    std::vector<Bound> bound_;
    Answer answer_;
    int row_ = 0;
};

}  // namespace

sql::Statement& Database::statement(const char* sql)
{
    auto& statement = statements_[sql];
    if (statement == nullptr) {
        const auto name = "tallycard_" + std::to_string(statements_.size());
        statement = std::make_unique<Statement>(connection_, name, sql);
    }
    return *statement;
}

Result<void> Database::run(const std::string& sql)
{
    const auto done = connection_.run(sql);
    if (!done) return done.error();
    return {};
}

// A transaction in which something failed answers COMMIT with a rollback, and no error.
Result<void> Database::commit()
{
    const auto done = connection_.run("COMMIT");
    if (!done) return done.error();
    if (std::strcmp(PQcmdStatus(done->get()), "COMMIT") != 0)
        return Error{.code = Errc::store_failed, .where = "PostgreSQL"};
    return {};
}

void Database::roll_back()
{
    if (!connection_.run("ROLLBACK")) connection_.drop();
}

}  // namespace tallycard::postgres
