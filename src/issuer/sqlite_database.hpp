// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include <sqlite3.h>

#include "sql_database.hpp"

namespace tallycard::sqlite {

class Statement;

// An open database file.
class Database final : public sql::Database {
public:
    static Result<std::unique_ptr<Database>> open(const std::string& path);
    ~Database() override;

    Result<void> run(const std::string& sql) override;
    Result<void> commit() override;
    // Whether the last commit failed. The log may hold it whole, and then a crash brings it back,
    // until something else has been written in its place.
    bool commit_is_in_doubt() const { return commit_is_in_doubt_; }
    // Allocates nothing, and so works where nothing else does.
    void roll_back() override;

private:
    explicit Database(sqlite3* database);
    sql::Statement& statement(const char* sql) override;
    sqlite3* database_;
    sqlite3_stmt* roll_back_ = nullptr;
    bool commit_is_in_doubt_ = false;
    std::unordered_map<const char*, std::unique_ptr<Statement>> statements_;
};

}  // namespace tallycard::sqlite
