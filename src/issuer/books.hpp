// SPDX-License-Identifier: Apache-2.0
// The accounts beside the cards: which one an operation moves, what is promised to operations that
// are on their way, and what moves when one settles.
#pragma once

#include <optional>

#include <tallycard/operation.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

AccountName cash_account(const AccountId& terminal);
AccountName associated_account(const AccountId& account);
AccountName card_account(const CardId& card_id);

class Books {
public:
    explicit Books(StoreTransaction& transaction) : store_(&transaction) {}

    // The other side of an operation that moves value: whom field 87 names.
    static std::optional<AccountName> other_side(const Operation& operation);

    // Puts what an operation will take from its account aside, before it is signed.
    // Errc::unknown_account, insufficient_funds; bad_amount when cash, or what all cards and
    // accounts hold together, would overflow.
    Result<void> reserve(const Operation& operation);
    // Gives it free again: the operation has ended, one way or the other.
    Result<void> release(const Operation& operation);

    // Errc::bad_amount when settling it would overflow its account. Changes nothing.
    Result<void> check(const Operation& operation);
    // Errc::insufficient_funds where a credit would take what is not there, or is promised to
    // others.
    Result<void> check_free(const Operation& operation);
    // Moves the value and says how; nothing where none moves. Opens the payee's account.
    Result<std::optional<Posting>> post(const Operation& operation);

    Result<void> open(const AccountName& name);

private:
    Result<AccountRow> find_or_new(const AccountName& name);
    // Whether all that is issued still fits 64 bits after a cash account went from `free` to
    // `left`.
    Result<void> check_issued(std::int64_t free, std::int64_t left);
    StoreTransaction* store_;
};

}  // namespace tallycard
