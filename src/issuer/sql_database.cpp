// SPDX-License-Identifier: Apache-2.0
#include "sql_database.hpp"

namespace tallycard::sql {

Statement::~Statement() = default;
Database::~Database() = default;

Error damaged()
{
    return Error{.code = Errc::file_damaged, .where = "store"};
}

Result<void> Query::run()
{
    const auto changed = statement_->change();
    if (!changed) return changed.error();
    return {};
}

Result<void> Query::run_for_one()
{
    const auto changed = statement_->change();
    if (!changed) return changed.error();
    if (*changed != 1) return Error{.code = Errc::conflict, .where = "store"};
    return {};
}

Result<std::int64_t> Database::number(const char* sql)
{
    auto found = query(sql);
    const auto stepped = found.step();
    if (!stepped) return stepped.error();
    if (*stepped != Step::row) return damaged();
    const auto value = found.number();
    if (!found.ok()) return damaged();
    return value;
}

Result<std::string> Database::text(const char* sql)
{
    auto found = query(sql);
    const auto stepped = found.step();
    if (!stepped) return stepped.error();
    if (*stepped != Step::row) return damaged();
    std::string value(found.text());
    if (!found.ok()) return damaged();
    return value;
}

}  // namespace tallycard::sql
