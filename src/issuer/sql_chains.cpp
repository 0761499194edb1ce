// SPDX-License-Identifier: Apache-2.0
#include "sql_transaction.hpp"

namespace tallycard::sql {
namespace {

constexpr const char* list_chains =
    "SELECT chain_id, contract, final_entries FROM chains ORDER BY chain_id, contract";
constexpr const char* put_chain_row =
    "INSERT INTO chains(chain_id, contract, final_entries) VALUES($1, $2, $3) "
    "ON CONFLICT(chain_id, contract) DO UPDATE SET final_entries = excluded.final_entries";
constexpr const char* list_outbox =
    "SELECT nonce, kind, state, first, entries, block, hash, raw FROM outbox "
    "WHERE chain_id = $1 AND contract = $2 ORDER BY nonce";
constexpr const char* insert_outbox_row =
    "INSERT INTO outbox(chain_id, contract, nonce, kind, state, first, entries, block, hash, raw) "
    "VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
constexpr const char* update_outbox_row =
    "UPDATE outbox SET state = $1, block = $2 "
    "WHERE chain_id = $3 AND contract = $4 AND nonce = $5";
constexpr const char* drop_outbox_row =
    "DELETE FROM outbox WHERE chain_id = $1 AND contract = $2 AND nonce = $3";

std::uint64_t read_count(Query& query)
{
    const auto number = query.number();
    query.require(number >= 0);
    return static_cast<std::uint64_t>(number);
}

ChainRow read_chain(Query& query)
{
    ChainRow row;
    row.name.chain_id = read_count(query);
    row.name.contract = query.bytes<ChainAddress>();
    row.final_entries = read_count(query);
    return row;
}

OutboxRow read_outbox(Query& query)
{
    OutboxRow row;
    row.nonce = read_count(query);
    const auto kind = query.number(), state = query.number();
    query.require(kind >= 1 && kind <= static_cast<int>(OutboxKind::anchor));
    query.require(state >= 1 && state <= static_cast<int>(OutboxState::failed));
    row.kind = static_cast<OutboxKind>(kind);
    row.state = static_cast<OutboxState>(state);
    row.first = read_count(query);
    row.entries = read_count(query);
    row.block = read_count(query);
    row.hash = query.bytes<Digest>();
    const auto raw = query.blob();
    row.raw.assign(raw.begin(), raw.end());
    return row;
}

std::int64_t as_number(auto value)
{
    return static_cast<std::int64_t>(value);
}

}  // namespace

Result<std::vector<ChainRow>> Transaction::chains()
{
    auto query = database_->query(list_chains);
    return all_rows(query, read_chain);
}

Result<void> Transaction::put_chain(const ChainRow& row)
{
    auto query = database_->query(put_chain_row);
    query.bind(as_column(row.name.chain_id)).bind(row.name.contract.bytes());
    return query.bind(as_column(row.final_entries)).run_for_one();
}

Result<std::vector<OutboxRow>> Transaction::outbox(const ChainName& name)
{
    auto query = database_->query(list_outbox);
    query.bind(as_column(name.chain_id)).bind(name.contract.bytes());
    return all_rows(query, read_outbox);
}

Result<void> Transaction::insert_outbox(const ChainName& name, const OutboxRow& row)
{
    auto query = database_->query(insert_outbox_row);
    query.bind(as_column(name.chain_id)).bind(name.contract.bytes()).bind(as_column(row.nonce));
    query.bind(as_number(row.kind)).bind(as_number(row.state));
    query.bind(as_column(row.first)).bind(as_column(row.entries)).bind(as_column(row.block));
    const std::span<const std::uint8_t> raw = row.raw;
    return query.bind(row.hash.bytes()).bind(raw).run_for_one();
}

Result<void> Transaction::update_outbox(const ChainName& name, const OutboxRow& row)
{
    auto query = database_->query(update_outbox_row);
    query.bind(as_number(row.state)).bind(as_column(row.block));
    query.bind(as_column(name.chain_id)).bind(name.contract.bytes());
    return query.bind(as_column(row.nonce)).run_for_one();
}

Result<void> Transaction::drop_outbox(const ChainName& name, std::uint64_t nonce)
{
    auto query = database_->query(drop_outbox_row);
    query.bind(as_column(name.chain_id)).bind(name.contract.bytes());
    return query.bind(as_column(nonce)).run();
}

}  // namespace tallycard::sql
