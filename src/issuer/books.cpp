// SPDX-License-Identifier: Apache-2.0
#include "books.hpp"

#include <algorithm>
#include <limits>

#include <tallycard/contract.hpp>

namespace tallycard {
namespace {

// Accounts stay within ±(2^63−1).
std::optional<std::int64_t> checked_minus(std::int64_t a, std::int64_t b)
{
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(a, b, &difference)) return std::nullopt;
    if (difference == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    return difference;
}

Error refusal(Errc code)
{
    return Error{.code = code, .where = "accounts"};
}

}  // namespace

AccountName cash_account(const AccountId& terminal)
{
    return {.kind = AccountKind::cash, .id = terminal};
}

AccountName associated_account(const AccountId& account)
{
    return {.kind = AccountKind::associated, .id = account};
}

AccountName card_account(const CardId& card_id)
{
    return {.kind = AccountKind::card, .id = *AccountId::parse(card_id.to_string())};
}

std::optional<AccountName> Books::other_side(const Operation& operation)
{
    if (!operation.account) return std::nullopt;
    const bool moves_cash = operation.kind == Kind::top_up || operation.kind == Kind::cash_out;
    return moves_cash ? cash_account(*operation.account) : associated_account(*operation.account);
}

Result<AccountRow> Books::find_or_new(const AccountName& name)
{
    const auto found = store_->account(name);
    if (!found) return found.error();
    return found->value_or(AccountRow{.name = name});
}

Result<void> Books::open(const AccountName& name)
{
    const auto found = store_->account(name);
    if (!found) return found.error();
    if (*found) return {};
    return store_->put_account({.name = name});
}

Result<void> Books::reserve(const Operation& operation)
{
    const auto name = other_side(operation);
    if (!name) return {};
    const auto account = store_->account(*name);
    if (!account) return account.error();
    if (!*account && name->kind != AccountKind::cash) return refusal(Errc::unknown_account);
    if (!is_credit(operation.kind)) {
        if (const auto settles = check(operation); !settles) return settles;
        return *account ? Result<void>() : open(*name);
    }

    auto row = account->value_or(AccountRow{.name = *name});
    const auto amount = operation.amount.to_minor_units();
    const auto free = checked_minus(row.balance, row.reserved);
    const auto left = free ? checked_minus(*free, amount) : std::nullopt;
    if (name->kind == AccountKind::cash) {
        if (!left) return refusal(Errc::bad_amount);
        if (const auto fits = check_issued(*free, *left); !fits) return fits;
    }
    if (name->kind == AccountKind::associated && left.value_or(-1) < 0)
        return refusal(Errc::insufficient_funds);
    if (__builtin_add_overflow(row.reserved, amount, &row.reserved))
        return refusal(Errc::bad_amount);
    return store_->put_account(row);
}

Result<void> Books::check_issued(std::int64_t free, std::int64_t left)
{
    const auto issued = store_->issued();
    if (!issued) return issued.error();
    const auto more = std::min<std::int64_t>(free, 0) - std::min<std::int64_t>(left, 0);
    std::int64_t total = 0;
    if (__builtin_add_overflow(*issued, more, &total)) return refusal(Errc::bad_amount);
    return {};
}

Result<void> Books::release(const Operation& operation)
{
    if (!is_credit(operation.kind)) return {};
    const auto name = other_side(operation);
    auto account = find_or_new(*name);
    if (!account) return account.error();
    account->reserved -= operation.amount.to_minor_units();
    return store_->put_account(*account);
}

Result<void> Books::check(const Operation& operation)
{
    const auto name = other_side(operation);
    if (!name) return {};
    const auto row = find_or_new(*name);
    if (!row) return row.error();
    if (!checked_minus(row->balance, operation.amount.to_minor_units()))
        return refusal(Errc::bad_amount);
    return {};
}

Result<void> Books::check_free(const Operation& operation)
{
    const auto row = find_or_new(*other_side(operation));
    if (!row) return row.error();
    if (row->balance - row->reserved < operation.amount.to_minor_units())
        return refusal(Errc::insufficient_funds);
    return {};
}

Result<std::optional<Posting>> Books::post(const Operation& operation)
{
    const auto name = other_side(operation);
    if (!name) return std::optional<Posting>();
    auto row = find_or_new(*name);
    if (!row) return row.error();
    const auto balance = checked_minus(row->balance, operation.amount.to_minor_units());
    if (!balance) return refusal(Errc::bad_amount);
    row->balance = *balance;
    if (const auto put = store_->put_account(*row); !put) return put.error();

    const auto card = card_account(operation.card_id);
    const bool credit = is_credit(operation.kind);
    return std::optional(Posting{
        .debit = credit ? *name : card,
        .credit = credit ? card : *name,
        .amount = credit ? operation.amount : -operation.amount,
    });
}

}  // namespace tallycard
