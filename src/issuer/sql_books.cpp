// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "sql_transaction.hpp"

namespace tallycard::sql {
namespace {

constexpr const char* find_account =
    "SELECT kind, id, balance, reserved FROM accounts WHERE kind = $1 AND id = $2";
constexpr const char* list_accounts =
    "SELECT kind, id, balance, reserved FROM accounts WHERE (kind, id) > ($1, $2) "
    "ORDER BY kind, id LIMIT $3";
constexpr const char* put_account_row =
    "INSERT INTO accounts(kind, id, balance, reserved) VALUES($1, $2, $3, $4) "
    "ON CONFLICT(kind, id) DO UPDATE SET balance = excluded.balance, reserved = excluded.reserved";
// In two halves, since SQLite's sum() fails where what it has so far leaves 64 bits.
constexpr const char* sum_high =
    "SELECT CAST(coalesce(sum(balance >> 32), 0) AS BIGINT) FROM (SELECT balance FROM accounts "
    "UNION ALL SELECT balance FROM cards) AS books";
constexpr const char* sum_low =
    "SELECT CAST(coalesce(sum(balance & 4294967295), 0) AS BIGINT) FROM (SELECT balance FROM "
    "accounts UNION ALL SELECT balance FROM cards) AS books";
constexpr const char* find_issued = "SELECT high, low FROM issued";
// Takes out what a cash account was below zero, and puts in what it will be: two halves, again.
constexpr const char* move_issued =
    "UPDATE issued SET "
    "high = high + $1 - coalesce((SELECT (CASE WHEN reserved > balance THEN reserved - balance "
    "ELSE 0 END) >> 32 FROM accounts WHERE kind = 1 AND id = $2), 0), "
    "low = low + $3 - coalesce((SELECT (CASE WHEN reserved > balance THEN reserved - balance "
    "ELSE 0 END) & 4294967295 FROM accounts WHERE kind = 1 AND id = $2), 0)";
constexpr const char* insert_posting =
    "INSERT INTO journal(idx, debit_kind, debit, credit_kind, credit, amount) "
    "VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
constexpr const char* find_posting =
    "SELECT debit_kind, debit, credit_kind, credit, amount FROM journal WHERE idx = $1";
constexpr const char* find_issuer = "SELECT description FROM issuer";
constexpr const char* put_issuer_row =
    "INSERT INTO issuer(one, description) VALUES(1, $1) "
    "ON CONFLICT(one) DO UPDATE SET description = excluded.description";

std::int64_t column_of(AccountKind kind)
{
    return static_cast<std::int64_t>(kind);
}

AccountName read_name(Query& query)
{
    const auto kind = query.number();
    query.require(kind >= 1 && kind <= 3);
    const auto id = AccountId::parse(query.text());
    query.require(id.has_value());
    return {.kind = static_cast<AccountKind>(kind), .id = id ? *id : *AccountId::parse("?")};
}

AccountRow read_account(Query& query)
{
    AccountRow row{.name = read_name(query)};
    row.balance = query.number();
    row.reserved = query.number();
    return row;
}

Posting read_posting(Query& query)
{
    Posting posting{.debit = read_name(query), .credit = read_name(query), .amount = {}};
    const auto amount = query.number();
    query.require(amount > 0);
    posting.amount = Amount::minor_units(amount > 0 ? amount : 0);
    return posting;
}

std::string read_text(Query& query)
{
    return std::string(query.text());
}

struct Halves {
    std::int64_t high = 0, low = 0;
};

// What the two halves are of; empty where it leaves 64 bits.
std::optional<std::int64_t> whole(const Halves& halves)
{
    std::int64_t sum = 0;
    if (__builtin_mul_overflow(halves.high, std::int64_t{1} << 32, &sum) ||
        __builtin_add_overflow(sum, halves.low, &sum))
        return std::nullopt;
    return sum;
}

}  // namespace

Result<std::optional<std::string>> Transaction::issuer()
{
    auto query = database_->query(find_issuer);
    return one_row(query, read_text);
}

Result<void> Transaction::put_issuer(const std::string& text)
{
    return database_->query(put_issuer_row).bind(std::string_view(text)).run_for_one();
}

Result<std::optional<AccountRow>> Transaction::account(const AccountName& name)
{
    auto query = database_->query(find_account);
    query.bind(column_of(name.kind)).bind(name.id.text());
    return one_row(query, read_account);
}

Result<void> Transaction::put_account(const AccountRow& row)
{
    if (row.name.kind == AccountKind::cash) {
        std::int64_t below = 0;
        if (row.reserved > row.balance && __builtin_sub_overflow(row.reserved, row.balance, &below))
            return Error{.code = Errc::bad_amount, .where = "accounts"};
        auto moved = database_->query(move_issued);
        moved.bind(below >> 32).bind(row.name.id.text()).bind(below & 0xFFFFFFFF);
        if (const auto done = moved.run_for_one(); !done) return done;
    }
    auto query = database_->query(put_account_row);
    query.bind(column_of(row.name.kind)).bind(row.name.id.text());
    return query.bind(row.balance).bind(row.reserved).run_for_one();
}

Result<std::vector<AccountRow>> Transaction::accounts(const std::optional<AccountName>& after,
                                                      std::size_t limit)
{
    auto query = database_->query(list_accounts);
    query.bind(after ? column_of(after->kind) : 0);
    query.bind(after ? after->id.text() : std::string_view(""));
    query.bind(as_column(limit));
    return all_rows(query, read_account);
}

Result<std::int64_t> Transaction::sum_of_books()
{
    const auto high = database_->number(sum_high);
    if (!high) return high.error();
    const auto low = database_->number(sum_low);
    if (!low) return low.error();
    const auto sum = whole({*high, *low});
    if (!sum) return Error{.code = Errc::file_damaged, .where = "sum of the books"};
    return *sum;
}

Result<std::int64_t> Transaction::issued()
{
    auto query = database_->query(find_issued);
    const auto halves = one_row(query, [](Query& row) {
        const auto high = row.number();
        return Halves{high, row.number()};
    });
    if (!halves) return halves.error();
    if (!*halves) return damaged();
    return whole(**halves).value_or(std::numeric_limits<std::int64_t>::max());
}

Result<void> Transaction::append_record(std::uint64_t index, const Record& record,
                                        const std::optional<Posting>& posting)
{
    constexpr const char* insert_record =
        "INSERT INTO records(idx, card_id, sequence, record) VALUES($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING";
    const auto bytes = record.encode();
    const auto& result = record.receipt.result;
    {
        auto query = database_->query(insert_record);
        query.bind(as_column(index)).bind(result.card_id.bytes());
        query.bind(std::int64_t{result.sequence}).bind(bytes.bytes());
        if (const auto done = query.run_for_one(); !done) return done;
    }
    if (!posting) return {};
    auto query = database_->query(insert_posting);
    query.bind(as_column(index));
    query.bind(column_of(posting->debit.kind)).bind(posting->debit.id.text());
    query.bind(column_of(posting->credit.kind)).bind(posting->credit.id.text());
    return query.bind(posting->amount.to_minor_units()).run_for_one();
}

Result<std::optional<Posting>> Transaction::posting(std::uint64_t index)
{
    auto query = database_->query(find_posting);
    query.bind(as_column(index));
    return one_row(query, read_posting);
}

}  // namespace tallycard::sql
