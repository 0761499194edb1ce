// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "sql_transaction.hpp"

#define TALLYCARD_ACCOUNT_COLUMNS "kind, id, balance, reserved, number, account_key, key_before"

namespace tallycard::sql {
namespace {

constexpr const char* find_account =
    "SELECT " TALLYCARD_ACCOUNT_COLUMNS " FROM accounts WHERE kind = $1 AND id = $2";
constexpr const char* list_accounts = "SELECT " TALLYCARD_ACCOUNT_COLUMNS
                                      " FROM accounts WHERE (kind, id) > ($1, $2) "
                                      "ORDER BY kind, id LIMIT $3";
constexpr const char* put_account_row =
    "INSERT INTO accounts(" TALLYCARD_ACCOUNT_COLUMNS
    ") VALUES($1, $2, $3, $4, $5, $6, $7) "
    "ON CONFLICT(kind, id) DO UPDATE SET balance = excluded.balance, reserved = excluded.reserved, "
    "number = excluded.number, account_key = excluded.account_key, key_before = "
    "excluded.key_before";
// In two halves, since SQLite's sum() fails where what it has so far leaves 64 bits.
constexpr const char* sum_high =
    "SELECT CAST(coalesce(sum(balance >> 32), 0) AS BIGINT) FROM (SELECT balance FROM accounts "
    "UNION ALL SELECT balance FROM cards UNION ALL SELECT -recovered FROM cards) AS books";
constexpr const char* sum_low =
    "SELECT CAST(coalesce(sum(balance & 4294967295), 0) AS BIGINT) FROM (SELECT balance FROM "
    "accounts UNION ALL SELECT balance FROM cards UNION ALL SELECT -recovered FROM cards) AS books";
constexpr const char* find_issued = "SELECT high, low FROM issued";
// Takes out what an account was below zero, and puts in what it will be: two halves, again.
constexpr const char* move_issued =
    "UPDATE issued SET "
    "high = high + $1 - coalesce((SELECT (CASE WHEN reserved > balance THEN reserved - balance "
    "ELSE 0 END) >> 32 FROM accounts WHERE kind = $2 AND id = $3), 0), "
    "low = low + $4 - coalesce((SELECT (CASE WHEN reserved > balance THEN reserved - balance "
    "ELSE 0 END) & 4294967295 FROM accounts WHERE kind = $2 AND id = $3), 0)";
constexpr const char* insert_posting_row =
    "INSERT INTO journal(idx, debit_kind, debit, credit_kind, credit, amount, debit_after, "
    "credit_after) VALUES($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
constexpr const char* find_posting =
    "SELECT debit_kind, debit, credit_kind, credit, amount, debit_after, credit_after "
    "FROM journal WHERE idx = $1";
// Each side by its index; a condition for both at once would use none.
constexpr const char* list_entries_of =
    "SELECT idx FROM (SELECT idx FROM journal WHERE debit_kind = $1 AND debit_kind <> 3 AND "
    "debit = $2 AND idx >= $3 ORDER BY idx LIMIT $4) AS gave "
    "UNION SELECT idx FROM (SELECT idx FROM journal WHERE credit_kind = $1 AND credit_kind <> 3 "
    "AND credit = $2 AND idx >= $3 ORDER BY idx LIMIT $4) AS took "
    "UNION SELECT idx FROM (SELECT idx FROM orders WHERE kind = $1 AND account = $2 AND idx >= $3 "
    "ORDER BY number LIMIT $4) AS ordered ORDER BY idx LIMIT $4";
constexpr const char* list_entries_of_card =
    "SELECT idx FROM entries WHERE card_id = $1 AND idx >= $2 ORDER BY idx LIMIT $3";
constexpr const char* find_last_posting =
    "SELECT debit_kind, debit, credit_kind, credit, amount, debit_after, credit_after "
    "FROM journal WHERE idx = (SELECT max(idx) FROM (SELECT idx FROM (SELECT idx FROM journal "
    "WHERE debit_kind = $1 AND debit_kind <> 3 AND debit = $2 AND idx < $3 "
    "ORDER BY idx DESC LIMIT 1) AS gave UNION ALL SELECT idx FROM (SELECT idx FROM journal "
    "WHERE credit_kind = $1 AND credit_kind <> 3 AND credit = $2 AND idx < $3 "
    "ORDER BY idx DESC LIMIT 1) AS took) AS sides)";
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
    query.require(kind >= 1 && kind <= 4);
    return {.kind = static_cast<AccountKind>(kind), .id = read_account_id(query)};
}

AccountRow read_account(Query& query)
{
    AccountRow row{.name = read_name(query)};
    row.balance = query.number();
    row.reserved = query.number();
    row.number = read_sequence(query);
    const auto key = [](Query& q) { return q.bytes<PublicKey>(); };
    row.key = maybe(query, key);
    row.key_before = maybe(query, key);
    return row;
}

Posting read_posting(Query& query)
{
    Posting posting{.debit = read_name(query), .credit = read_name(query), .amount = {}};
    const auto amount = query.number();
    query.require(amount > 0);
    posting.amount = Amount::minor_units(amount > 0 ? amount : 0);
    posting.debit_after = query.number();
    posting.credit_after = query.number();
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
    if (row.name.kind != AccountKind::associated) {
        std::int64_t below = 0;
        if (row.reserved > row.balance && __builtin_sub_overflow(row.reserved, row.balance, &below))
            return Error{.code = Errc::bad_amount, .where = "accounts"};
        auto moved = database_->query(move_issued);
        moved.bind(below >> 32).bind(column_of(row.name.kind)).bind(row.name.id.text());
        moved.bind(below & 0xFFFFFFFF);
        if (const auto done = moved.run_for_one(); !done) return done;
    }
    auto query = database_->query(put_account_row);
    query.bind(column_of(row.name.kind)).bind(row.name.id.text());
    query.bind(row.balance).bind(row.reserved).bind(std::int64_t{row.number});
    const auto key = [](const PublicKey& bytes) { return bytes.bytes(); };
    bind_maybe(query, row.key, key);
    bind_maybe(query, row.key_before, key);
    return query.run_for_one();
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

Result<void> Transaction::insert_posting(std::uint64_t index, const Posting& posting)
{
    auto query = database_->query(insert_posting_row);
    query.bind(as_column(index));
    query.bind(column_of(posting.debit.kind)).bind(posting.debit.id.text());
    query.bind(column_of(posting.credit.kind)).bind(posting.credit.id.text());
    query.bind(posting.amount.to_minor_units());
    return query.bind(posting.debit_after).bind(posting.credit_after).run_for_one();
}

Result<std::optional<Posting>> Transaction::posting(std::uint64_t index)
{
    auto query = database_->query(find_posting);
    query.bind(as_column(index));
    return one_row(query, read_posting);
}

Result<std::optional<Posting>> Transaction::last_posting(const AccountName& account,
                                                         std::uint64_t before)
{
    auto query = database_->query(find_last_posting);
    query.bind(column_of(account.kind)).bind(account.id.text()).bind(as_column(before));
    return one_row(query, read_posting);
}

Result<std::vector<std::uint64_t>> Transaction::entries_of(const AccountName& account,
                                                           std::uint64_t from, std::size_t limit)
{
    const auto index = [](Query& row) { return row.count(); };
    if (account.kind == AccountKind::card) {
        const auto card = CardId::parse(account.id.text()).value_or(CardId{});
        auto query = database_->query(list_entries_of_card);
        query.bind(card.bytes()).bind(as_column(from)).bind(as_column(limit));
        return all_rows(query, index);
    }
    auto query = database_->query(list_entries_of);
    query.bind(column_of(account.kind)).bind(account.id.text());
    query.bind(as_column(from)).bind(as_column(limit));
    return all_rows(query, index);
}

}  // namespace tallycard::sql
