// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <tallycard/store.hpp>

#include "files.hpp"
#include "sqlite_transaction.hpp"

namespace tallycard {
namespace {

using sqlite::Database;

constexpr std::int64_t application = 0x74616C79, schema_version = 1;

constexpr const char* schema = R"(
PRAGMA application_id = 0x74616C79;
PRAGMA user_version = 1;
CREATE TABLE issuer(
    one INTEGER PRIMARY KEY CHECK(one = 1),
    description TEXT NOT NULL) STRICT;
CREATE TABLE cards(
    card_id BLOB PRIMARY KEY CHECK(length(card_id) = 16),
    certificate BLOB NOT NULL UNIQUE,
    public_key BLOB NOT NULL UNIQUE,
    transport_key BLOB NOT NULL UNIQUE,
    first_operation_key BLOB NOT NULL,
    operation_key BLOB NOT NULL,
    issued INTEGER NOT NULL,
    denied INTEGER NOT NULL,
    state INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK(balance >= 0),
    last_result BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE operations(
    serial INTEGER PRIMARY KEY,
    id BLOB UNIQUE,
    request BLOB NOT NULL,
    card_id BLOB NOT NULL REFERENCES cards,
    sequence INTEGER NOT NULL,
    beside INTEGER NOT NULL,
    first BLOB NOT NULL,
    terminal TEXT,
    UNIQUE(card_id, sequence, beside)) STRICT;
CREATE TABLE accounts(
    kind INTEGER NOT NULL CHECK(kind IN (1, 2)),
    id TEXT NOT NULL,
    balance INTEGER NOT NULL,
    reserved INTEGER NOT NULL CHECK(reserved >= 0),
    PRIMARY KEY(kind, id),
    CHECK(kind = 1 OR balance >= reserved)) STRICT, WITHOUT ROWID;
CREATE TABLE records(
    idx INTEGER PRIMARY KEY,
    card_id BLOB NOT NULL REFERENCES cards,
    sequence INTEGER NOT NULL,
    record BLOB NOT NULL,
    UNIQUE(card_id, sequence)) STRICT;
CREATE TABLE journal(
    idx INTEGER PRIMARY KEY REFERENCES records,
    debit_kind INTEGER NOT NULL, debit TEXT NOT NULL,
    credit_kind INTEGER NOT NULL, credit TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK(amount > 0)) STRICT;
CREATE TABLE nodes(
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK(length(hash) = 32),
    PRIMARY KEY(level, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE kept(
    card_id BLOB NOT NULL REFERENCES cards,
    sequence INTEGER NOT NULL,
    digest BLOB NOT NULL,
    receipt BLOB NOT NULL,
    operation BLOB NOT NULL,
    PRIMARY KEY(card_id, sequence, digest)) STRICT, WITHOUT ROWID;
CREATE TABLE evidence(
    serial INTEGER PRIMARY KEY,
    card_id BLOB NOT NULL REFERENCES cards,
    digest BLOB NOT NULL UNIQUE,
    reason INTEGER NOT NULL,
    receipt BLOB NOT NULL,
    operation BLOB) STRICT;
CREATE INDEX evidence_by_card ON evidence(card_id);
CREATE TABLE checkpoint(
    one INTEGER PRIMARY KEY CHECK(one = 1),
    note TEXT NOT NULL) STRICT;
)";

class SqliteStore final : public Store {
public:
    explicit SqliteStore(Database database) : database_(std::move(database)) {}
    Result<std::unique_ptr<StoreTransaction>> write() override { return begin("BEGIN IMMEDIATE"); }
    Result<std::unique_ptr<StoreTransaction>> read() override { return begin("BEGIN"); }

private:
    Result<std::unique_ptr<StoreTransaction>> begin(const char* sql)
    {
        auto transaction = std::make_unique<sqlite::Transaction>(database_);
        if (const auto begun = transaction->begin(sql); !begun) return begun.error();
        return std::unique_ptr<StoreTransaction>(std::move(transaction));
    }
    Database database_;
};

// Errc::conflict means something else to our callers than a broken rule of SQLite.
Error as_file_error(Error error)
{
    if (error.code == Errc::conflict) error.code = Errc::file_damaged;
    return error;
}

Result<void> make_schema(const std::string& path)
{
    auto database = Database::open(path);
    if (!database) return database.error();
    if (const auto made = database->run("PRAGMA synchronous = FULL"); !made) return made;
    return database->run(schema);
}

Result<void> check_content(Database& database, StoreCheck check)
{
    const auto id = database.number("PRAGMA application_id");
    if (!id) return id.error();
    const auto version = database.number("PRAGMA user_version");
    if (!version) return version.error();
    if (*id != application || *version != schema_version) return sqlite::damaged();
    if (check == StoreCheck::quick) return {};
    const auto verdict = database.text("PRAGMA integrity_check(1)");
    if (!verdict) return verdict.error();
    if (*verdict != "ok") return sqlite::damaged();
    return {};
}

}  // namespace

Store::~Store() = default;
StoreTransaction::~StoreTransaction() = default;

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
    if (const auto checked = check_content(*database, check); !checked)
        return as_file_error(checked.error());
    const auto mode = database->text("PRAGMA journal_mode = WAL");
    if (!mode) return as_file_error(mode.error());
    if (*mode != "wal") return Error{.code = Errc::store_failed, .where = "journal_mode"};
    if (const auto set = database->run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                                       "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
        !set)
        return as_file_error(set.error());
    return std::unique_ptr<Store>(std::make_unique<SqliteStore>(std::move(*database)));
}

namespace sqlite {

Transaction::~Transaction()
{
    if (open_) database_->roll_back();
}

// One that could not be rolled back, since something failed then, may be open still.
Result<void> Transaction::begin(const char* sql)
{
    database_->roll_back();
    if (const auto begun = database_->query(sql).run(); !begun) return begun;
    open_ = true;
    return {};
}

Result<void> Transaction::commit()
{
    if (const auto done = database_->query("COMMIT").run(); !done) return done;
    open_ = false;
    return {};
}

}  // namespace sqlite
}  // namespace tallycard
