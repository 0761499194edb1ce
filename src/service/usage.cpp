// SPDX-License-Identifier: Apache-2.0
#include "usage.hpp"

#include <chrono>

#include "../issuer/files.hpp"

namespace tallycard::service {
namespace {

// Days since 1970.
std::int64_t today()
{
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::hours>(now).count() / 24;
}

constexpr const char* schema =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS moved (client TEXT NOT NULL, id BLOB NOT NULL, day INTEGER NOT "
    "NULL, amount INTEGER NOT NULL, PRIMARY KEY (client, id)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS moved_on ON moved (client, day, amount);";

}  // namespace

Result<std::unique_ptr<Usage>> Usage::open(const std::string& path)
{
    if (!path.empty()) {
        const auto created = files::create(path, {});
        if (!created && created.error().code != Errc::file_exists) return created.error();
    }
    auto database = sqlite::Database::open(path.empty() ? ":memory:" : path);
    if (!database) return database.error();
    std::unique_ptr<Usage> usage(new Usage(*std::move(database)));
    if (const auto started = usage->start(); !started) return started.error();
    return usage;
}

// What is older than yesterday is of no use any more; a clock that was set back finds its day.
Result<void> Usage::start()
{
    if (const auto made = database_->run(schema); !made) return made;
    auto query = database_->query("DELETE FROM moved WHERE day < $1");
    return query.bind(today() - 1).run();
}

Result<void> Usage::count(std::string_view client, const OperationId& id, std::uint64_t amount,
                          std::uint64_t most)
{
    const std::lock_guard lock(mutex_);
    auto known = database_->query("SELECT 1 FROM moved WHERE client = $1 AND id = $2");
    const auto found = known.bind(client).bind(id.bytes()).step();
    if (!found) return found.error();
    if (*found == sql::Step::row) return {};

    auto sum = database_->query(
        "SELECT coalesce(sum(amount), 0) FROM moved WHERE client = $1 AND day = $2");
    const auto summed = sum.bind(client).bind(today()).step();
    if (!summed) return summed.error();
    const auto before = sum.count();
    if (before > most || amount > most - before)
        return Error{.code = Errc::client_limit, .where = "amount of the day"};
    auto insert = database_->query("INSERT INTO moved VALUES ($1, $2, $3, $4)");
    return insert.bind(client)
        .bind(id.bytes())
        .bind(today())
        .bind(static_cast<std::int64_t>(amount))
        .run();
}

Result<void> Usage::forget(std::string_view client, const OperationId& id)
{
    const std::lock_guard lock(mutex_);
    auto query = database_->query("DELETE FROM moved WHERE client = $1 AND id = $2");
    return query.bind(client).bind(id.bytes()).run();
}

}  // namespace tallycard::service
