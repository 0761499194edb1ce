// SPDX-License-Identifier: Apache-2.0
#include "sql_transaction.hpp"

namespace tallycard::sql {
namespace {

constexpr const char* find_end = "SELECT idx, time FROM entries ORDER BY idx DESC LIMIT 1";
constexpr const char* find_entry = "SELECT entry FROM entries WHERE idx = $1";
constexpr const char* find_record_index =
    "SELECT idx FROM entries WHERE card_id = $1 AND sequence = $2";
constexpr const char* find_order_index =
    "SELECT idx FROM orders WHERE kind = $1 AND account = $2 AND id = $3";
constexpr const char* insert_entry =
    "INSERT INTO entries(idx, time, card_id, sequence, terminal, entry) "
    "VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
constexpr const char* list_entries_by =
    "SELECT idx FROM entries WHERE terminal = $1 AND idx >= $2 ORDER BY idx LIMIT $3";
constexpr const char* insert_reference =
    "INSERT INTO payment_references(idx, reference) VALUES($1, $2) ON CONFLICT DO NOTHING";
constexpr const char* find_reference = "SELECT reference FROM payment_references WHERE idx = $1";
constexpr const char* insert_order_row =
    "INSERT INTO orders(kind, account, number, id, idx) VALUES($1, $2, $3, $4, $5) "
    "ON CONFLICT DO NOTHING";
constexpr const char* insert_gap_row =
    "INSERT INTO gaps(card_id, first, last, idx, state_before, balance_before, balance_after, "
    "result_before, result_after, operation_key, remaining) "
    "VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING";
constexpr const char* update_gap_row =
    "UPDATE gaps SET remaining = $1 WHERE card_id = $2 AND first = $3";
constexpr const char* find_gaps =
    "SELECT card_id, first, last, idx, state_before, balance_before, balance_after, result_before, "
    "result_after, operation_key, remaining FROM gaps WHERE card_id = $1 ORDER BY first";
constexpr const char* find_node = "SELECT hash FROM nodes WHERE level = $1 AND idx = $2";
constexpr const char* insert_node =
    "INSERT INTO nodes(level, idx, hash) VALUES($1, $2, $3) ON CONFLICT DO NOTHING";
constexpr const char* find_checkpoint = "SELECT note FROM checkpoint";
constexpr const char* put_checkpoint_row =
    "INSERT INTO checkpoint(one, note) VALUES(1, $1) "
    "ON CONFLICT(one) DO UPDATE SET note = excluded.note";

std::optional<Entry> read_entry(Query& query)
{
    auto entry = Entry::decode(query.blob());
    query.require(entry.has_value());
    return entry ? std::optional(*entry) : std::nullopt;
}

// The card that an entry is about.
std::optional<CardId> card_of(const Entry& entry)
{
    if (const auto* record = entry.record()) return record->receipt.result.card_id;
    if (const auto* gap = entry.gap()) return gap->card_id;
    const auto& order = entry.account_record()->order;
    return names_card(order.kind) ? std::optional(order.card()) : std::nullopt;
}

GapRow read_gap(Query& query)
{
    GapRow row;
    row.card_id = query.bytes<CardId>();
    row.first = read_sequence(query);
    row.last = read_sequence(query);
    row.index = query.count();
    row.state_before = read_state(query);
    row.balance_before = read_balance(query);
    row.balance_after = read_balance(query);
    row.result_before = query.bytes<Digest>();
    row.result_after = query.bytes<Digest>();
    row.operation_key = query.bytes<PublicKey>();
    row.left = query.number();
    query.require(row.left >= 0);
    return row;
}

}  // namespace

std::uint32_t read_sequence(Query& query)
{
    const auto number = query.number();
    query.require(number >= 0 && number <= 0xFFFFFFFF);
    return static_cast<std::uint32_t>(number);
}

Balance read_balance(Query& query)
{
    const auto number = query.number();
    query.require(number >= 0);
    return Balance::minor_units(number >= 0 ? static_cast<std::uint64_t>(number) : 0);
}

Time read_time(Query& query)
{
    const Time time{std::chrono::milliseconds(query.number())};
    query.require(time >= Time{} && time <= last_time);
    return time;
}

CardState read_state(Query& query)
{
    const auto number = query.number();
    const auto state = card_state_from_byte(static_cast<std::uint8_t>(number));
    query.require(number >= 0 && number <= 255 && state && *state != CardState::blank);
    return state.value_or(CardState::operational);
}

AccountId read_account_id(Query& query)
{
    const auto id = AccountId::parse(query.text());
    query.require(id.has_value());
    return id ? *id : unaccounted();
}

Reference read_reference(Query& query)
{
    const auto reference = Reference::parse(query.text());
    query.require(reference.has_value());
    return reference ? *reference : *Reference::parse("?");
}

Result<LedgerEnd> Transaction::ledger_end()
{
    auto query = database_->query(find_end);
    const auto last = one_row(query, [](Query& row) {
        const auto index = row.count();
        return LedgerEnd{index + 1, read_time(row)};
    });
    if (!last) return last.error();
    return last->value_or(LedgerEnd{});
}

Result<std::optional<Entry>> Transaction::entry(std::uint64_t index)
{
    auto query = database_->query(find_entry);
    query.bind(as_column(index));
    auto found = one_row(query, read_entry);
    if (!found) return found.error();
    return found->value_or(std::nullopt);
}

Result<void> Transaction::append_entry(std::uint64_t index, const Entry& entry,
                                       const std::optional<Posting>& posting)
{
    const auto bytes = entry.encode();
    const auto card = card_of(entry);
    {
        auto query = database_->query(insert_entry);
        query.bind(as_column(index)).bind(as_column(entry.time));
        bind_maybe(query, card, [](const CardId& id) { return id.bytes(); });
        if (const auto* delivered = entry.delivered()) {
            query.bind(std::int64_t{delivered->record.receipt.result.sequence});
            query.bind(delivered->terminal.text());
        } else {
            query.bind_null().bind_null();
        }
        if (const auto done = query.bind(bytes.bytes()).run_for_one(); !done) return done;
    }
    if (const auto* ordered = entry.account_record())
        if (const auto done = insert_order(index, ordered->order); !done) return done;
    return posting ? insert_posting(index, *posting) : Result<void>();
}

Result<void> Transaction::insert_order(std::uint64_t index, const AccountOrder& order)
{
    const auto name = account_of(order);
    auto query = database_->query(insert_order_row);
    query.bind(static_cast<std::int64_t>(name.kind)).bind(name.id.text());
    query.bind(std::int64_t{order.number}).bind(order.id.bytes());
    return query.bind(as_column(index)).run_for_one();
}

Result<std::optional<std::uint64_t>> Transaction::order_index(const AccountName& account,
                                                              const OperationId& id)
{
    auto query = database_->query(find_order_index);
    query.bind(static_cast<std::int64_t>(account.kind)).bind(account.id.text()).bind(id.bytes());
    return one_row(query, [](Query& row) { return row.count(); });
}

Result<std::vector<std::uint64_t>> Transaction::entries_by(const AccountId& terminal,
                                                           std::uint64_t from, std::size_t limit)
{
    auto query = database_->query(list_entries_by);
    query.bind(terminal.text()).bind(as_column(from)).bind(as_column(limit));
    return all_rows(query, [](Query& row) { return row.count(); });
}

Result<void> Transaction::put_reference(std::uint64_t index, const Reference& reference)
{
    auto query = database_->query(insert_reference);
    return query.bind(as_column(index)).bind(reference.text()).run_for_one();
}

Result<std::optional<Reference>> Transaction::reference(std::uint64_t index)
{
    auto query = database_->query(find_reference);
    query.bind(as_column(index));
    return one_row(query, read_reference);
}

Result<void> Transaction::insert_gap(const GapRow& row)
{
    auto query = database_->query(insert_gap_row);
    query.bind(row.card_id.bytes()).bind(std::int64_t{row.first}).bind(std::int64_t{row.last});
    query.bind(as_column(row.index)).bind(static_cast<std::int64_t>(row.state_before));
    query.bind(as_column(row.balance_before.to_minor_units()));
    query.bind(as_column(row.balance_after.to_minor_units()));
    query.bind(row.result_before.bytes()).bind(row.result_after.bytes());
    return query.bind(row.operation_key.bytes()).bind(row.left).run_for_one();
}

Result<void> Transaction::update_gap(const GapRow& row)
{
    auto query = database_->query(update_gap_row);
    query.bind(row.left).bind(row.card_id.bytes()).bind(std::int64_t{row.first});
    return query.run_for_one();
}

Result<std::vector<GapRow>> Transaction::gaps(const CardId& card_id)
{
    auto query = database_->query(find_gaps);
    query.bind(card_id.bytes());
    return all_rows(query, read_gap);
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
