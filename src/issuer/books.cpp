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

// Of `amount` into `account`, or out of it where it is below zero; the rest from or to `other`.
Posting moving(const AccountName& account, const AccountName& other, Amount amount)
{
    if (amount > Amount{}) return {.debit = other, .credit = account, .amount = amount};
    return {.debit = account, .credit = other, .amount = -amount};
}

bool may_owe(const AccountName& name)
{
    return name.kind == AccountKind::cash || name.kind == AccountKind::outside;
}

}  // namespace

std::optional<Posting> posting_of(const Operation& operation)
{
    const auto name = other_side(operation);
    if (!name) return std::nullopt;
    return moving(card_account(operation.card_id), *name, operation.amount);
}

std::optional<Posting> posting_of(const AccountOrder& order)
{
    if (order.amount == Amount{}) return std::nullopt;
    const auto account = account_of(order);
    switch (order.kind) {
    case OrderKind::recover: return moving(account, card_account(order.card()), order.amount);
    case OrderKind::recover_holder:
        return moving(account, associated_account(holder_account(order.card())), order.amount);
    case OrderKind::move: return moving(account, associated_account(*order.other), order.amount);
    default: return moving(account, outside_account(*order.other), order.amount);
    }
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
        if (const auto settles = check(*posting_of(operation)); !settles) return settles;
        return *account ? Result<void>() : open(*name);
    }

    auto row = account->value_or(AccountRow{.name = *name});
    const auto amount = operation.amount.to_minor_units();
    const auto free = checked_minus(row.balance, row.reserved);
    if (!free) return refusal(Errc::bad_amount);
    const auto left = checked_minus(*free, amount);
    if (!left) return refusal(Errc::bad_amount);
    if (name->kind == AccountKind::cash)
        if (const auto fits = check_issued(*free, *left); !fits) return fits;
    if (name->kind == AccountKind::associated && *left < 0)
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

Result<void> Books::check_issued(const Posting& posting)
{
    if (!may_owe(posting.debit)) return {};
    const auto row = find_or_new(posting.debit);
    if (!row) return row.error();
    const auto free = checked_minus(row->balance, row->reserved);
    const auto left = free ? checked_minus(*free, posting.amount.to_minor_units()) : std::nullopt;
    if (!left) return refusal(Errc::bad_amount);
    return check_issued(*free, *left);
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

Result<void> Books::check(const Posting& posting, Amount promised)
{
    const auto amount = posting.amount.to_minor_units();
    if (posting.debit.kind != AccountKind::card) {
        const auto row = find_or_new(posting.debit);
        if (!row) return row.error();
        const auto left = checked_minus(row->balance, amount);
        if (!left) return refusal(Errc::bad_amount);
        if (!may_owe(posting.debit) && *left < row->reserved - promised.to_minor_units())
            return refusal(Errc::insufficient_funds);
    }
    if (posting.credit.kind == AccountKind::card) return {};
    const auto row = find_or_new(posting.credit);
    if (!row) return row.error();
    return checked_minus(row->balance, -amount) ? Result<void>() : refusal(Errc::bad_amount);
}

Result<Posting> Books::post(const Posting& posting)
{
    auto posted = posting;
    const auto move = [&](const AccountName& name, std::int64_t amount,
                          std::int64_t& after) -> Result<void> {
        if (name.kind == AccountKind::card) return {};
        auto row = find_or_new(name);
        if (!row) return row.error();
        const auto balance = checked_minus(row->balance, -amount);
        if (!balance) return refusal(Errc::bad_amount);
        row->balance = after = *balance;
        return store_->put_account(*row);
    };
    const auto amount = posting.amount.to_minor_units();
    const auto given = move(posting.debit, -amount, posted.debit_after);
    if (!given) return given.error();
    const auto taken = move(posting.credit, amount, posted.credit_after);
    if (!taken) return taken.error();
    return posted;
}

void set_card_after(Posting& posting, std::int64_t book)
{
    if (posting.debit.kind == AccountKind::card) posting.debit_after = book;
    if (posting.credit.kind == AccountKind::card) posting.credit_after = book;
}

}  // namespace tallycard
