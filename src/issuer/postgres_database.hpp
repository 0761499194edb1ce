// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "postgres_connection.hpp"
#include "sql_database.hpp"

namespace tallycard::postgres {

class Database final : public sql::Database {
public:
    explicit Database(Connection connection) : connection_(std::move(connection)) {}

    Connection& connection() { return connection_; }
    Result<void> run(const std::string& sql) override;
    Result<void> commit() override;
    void roll_back() override;

private:
    sql::Statement& statement(const char* sql) override;
    Connection connection_;
    std::unordered_map<const char*, std::unique_ptr<sql::Statement>> statements_;
};

}  // namespace tallycard::postgres
