// SPDX-License-Identifier: Apache-2.0
// Only where the library was built with libpq: TALLYCARD_BUILD_POSTGRES.
#pragma once

#include <memory>
#include <string>

#include <tallycard/export.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// The store in tables of a PostgreSQL database, 13 or newer, for several processes on several
// machines. `conninfo` as libpq takes it: "service=issuer", "postgresql://host/database",
// "host=/run/postgresql dbname=issuer". A password comes from a password file, a service file or
// PGPASSWORD: Errc::malformed where `conninfo` holds one.
//
// Transactions are serializable. Those that write queue for their turn where the server has LOCK
// TABLE, and are told Errc::store_busy where another was first. A session that is lost is made
// anew with the next transaction. An answer is waited for 5 minutes at most, another's turn 10
// seconds. One thread at a time, and not across fork().
//
// create makes the tables in a database that is there: Errc::file_exists where it has such tables,
// Errc::file_missing from open where it has none; Errc::store_unreachable, store_newer,
// store_failed.
TALLYCARD_EXPORT Result<std::unique_ptr<Store>> create_postgres_store(const std::string& conninfo);
TALLYCARD_EXPORT Result<std::unique_ptr<Store>> open_postgres_store(const std::string& conninfo);

// Why the server cannot be reached, in the words of libpq, for people; empty when it can.
TALLYCARD_EXPORT std::string explain_postgres(const std::string& conninfo);

}  // namespace tallycard
