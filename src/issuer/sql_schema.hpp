// SPDX-License-Identifier: Apache-2.0
// The tables, written once, in words that an engine replaces by its own.
#pragma once

#include <cstdint>
#include <string>

#include "sql_database.hpp"

namespace tallycard::sql {

// How an engine says what the schema says.
struct Dialect {
    const char* number;  // a column of 64 bits
    const char* bytes;
    const char* name;        // text that sorts by its bytes
    const char* row_number;  // a column, and a comma, for rows that have no key of their own
    const char* rows;        // what comes after a table that is only appended to
    const char* keyed;       // and after one whose rows are found by their key
};

constexpr std::int64_t schema_version = 5;

// In an empty database, within the caller's transaction, who also writes down the version.
Result<void> make_tables(Database& database, const Dialect& dialect);

// Errc::store_older, Errc::store_newer, or Errc::file_damaged where there never was such a version.
Result<void> check_version(std::int64_t version);

}  // namespace tallycard::sql
