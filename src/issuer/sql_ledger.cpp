// SPDX-License-Identifier: Apache-2.0
#include "sql_transaction.hpp"

namespace tallycard::sql {
namespace {

constexpr const char* count_records = "SELECT coalesce(max(idx) + 1, 0) FROM records";
constexpr const char* find_record = "SELECT record FROM records WHERE idx = $1";
constexpr const char* find_record_index =
    "SELECT idx FROM records WHERE card_id = $1 AND sequence = $2";
constexpr const char* find_node = "SELECT hash FROM nodes WHERE level = $1 AND idx = $2";
constexpr const char* insert_node =
    "INSERT INTO nodes(level, idx, hash) VALUES($1, $2, $3) ON CONFLICT DO NOTHING";
constexpr const char* find_checkpoint = "SELECT note FROM checkpoint";
constexpr const char* put_checkpoint_row =
    "INSERT INTO checkpoint(one, note) VALUES(1, $1) "
    "ON CONFLICT(one) DO UPDATE SET note = excluded.note";

std::optional<Record> read_record(Query& query)
{
    auto record = Record::decode(query.blob());
    query.require(record.has_value());
    return record ? std::optional(*record) : std::nullopt;
}

}  // namespace

Result<std::uint64_t> Transaction::record_count()
{
    const auto count = database_->number(count_records);
    if (!count) return count.error();
    return static_cast<std::uint64_t>(*count);
}

Result<std::optional<Record>> Transaction::record(std::uint64_t index)
{
    auto query = database_->query(find_record);
    query.bind(as_column(index));
    auto found = one_row(query, read_record);
    if (!found) return found.error();
    return found->value_or(std::nullopt);
}

Result<std::optional<std::uint64_t>> Transaction::record_index(const CardId& card_id,
                                                               std::uint32_t sequence)
{
    auto query = database_->query(find_record_index);
    query.bind(card_id.bytes()).bind(std::int64_t{sequence});
    return one_row(query, [](Query& row) { return row.count(); });
}

Result<Digest> Transaction::node(unsigned level, std::uint64_t index)
{
    auto query = database_->query(find_node);
    query.bind(std::int64_t{level}).bind(as_column(index));
    const auto found = one_row(query, [](Query& row) { return row.bytes<Digest>(); });
    if (!found) return found.error();
    if (!*found) return damaged();
    return **found;
}

Result<void> Transaction::put_node(unsigned level, std::uint64_t index, const Digest& hash)
{
    auto query = database_->query(insert_node);
    query.bind(std::int64_t{level}).bind(as_column(index));
    return query.bind(hash.bytes()).run_for_one();
}

Result<std::optional<std::string>> Transaction::checkpoint()
{
    auto query = database_->query(find_checkpoint);
    return one_row(query, [](Query& row) { return std::string(row.text()); });
}

Result<void> Transaction::put_checkpoint(const std::string& note)
{
    return database_->query(put_checkpoint_row).bind(std::string_view(note)).run_for_one();
}

}  // namespace tallycard::sql
