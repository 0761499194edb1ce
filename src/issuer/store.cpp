// SPDX-License-Identifier: Apache-2.0
#include <tallycard/store.hpp>

#include <optional>
#include <string_view>

#ifdef TALLYCARD_POSTGRES
#include <tallycard/postgres_store.hpp>
#endif

namespace tallycard {
namespace {

// What libpq is to connect to; empty where `place` is a file.
std::optional<std::string> conninfo_of(const std::string& place)
{
    const std::string_view text(place);
    if (text.starts_with("postgresql://") || text.starts_with("postgres://")) return place;
    constexpr std::string_view prefix = "postgres:";
    if (text.starts_with(prefix)) return place.substr(prefix.size());
    return std::nullopt;
}

#ifndef TALLYCARD_POSTGRES
Error create_postgres_store(const std::string&)
{
    return Error{.code = Errc::store_failed, .where = "PostgreSQL, without which this was built"};
}
Error open_postgres_store(const std::string& conninfo)
{
    return create_postgres_store(conninfo);
}
std::string explain_postgres(const std::string&)
{
    return "";
}
#endif

}  // namespace

Store::~Store() = default;
StoreTransaction::~StoreTransaction() = default;

Result<std::uint64_t> StoreTransaction::entry_count()
{
    const auto end = ledger_end();
    if (!end) return end.error();
    return end->entries;
}

Result<std::unique_ptr<Store>> create_store(const std::string& place)
{
    if (const auto conninfo = conninfo_of(place)) return create_postgres_store(*conninfo);
    return create_sqlite_store(place);
}

Result<std::unique_ptr<Store>> open_store(const std::string& place, StoreCheck check)
{
    if (const auto conninfo = conninfo_of(place)) return open_postgres_store(*conninfo);
    return open_sqlite_store(place, check);
}

std::string explain_store(const std::string& place)
{
    const auto conninfo = conninfo_of(place);
    return conninfo ? explain_postgres(*conninfo) : "";
}

}  // namespace tallycard
