// SPDX-License-Identifier: Apache-2.0
// The accounts beside the cards: what is promised to operations that are on their way, and what
// moves when one settles or an order is executed.
#pragma once

#include <optional>

#include <tallycard/operation.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// The value that a result or an order moves; nothing where none moves.
std::optional<Posting> posting_of(const Operation& operation);
std::optional<Posting> posting_of(const AccountOrder& order);

// Says what the card of a posting, where it has one, has afterwards.
void set_card_after(Posting& posting, std::int64_t book);

class Books {
public:
    explicit Books(StoreTransaction& transaction) : store_(&transaction) {}

    // Puts what an operation will take from its account aside, before it is signed.
    // Errc::unknown_account, insufficient_funds; bad_amount when cash, or what all cards and
    // accounts hold together, would overflow.
    Result<void> reserve(const Operation& operation);
    // Gives it free again: the operation has ended, one way or the other.
    Result<void> release(const Operation& operation);

    // Refuses a posting that cannot be made. Errc::bad_amount when an account would overflow;
    // insufficient_funds when an associated one has not enough that is not promised to others.
    // `promised` is what was put aside for this very posting. Changes nothing.
    Result<void> check(const Posting& posting, Amount promised = {});
    // Errc::bad_amount when the posting brings more into being than 64 bits hold.
    Result<void> check_issued(const Posting& posting);
    // Moves the value between the accounts, and says what they have then; a card's book is its
    // row's. Opens what it credits.
    Result<Posting> post(const Posting& posting);

    Result<void> open(const AccountName& name);
    Result<AccountRow> find_or_new(const AccountName& name);

private:
    // Refuses where all that is issued no longer fits after an account that may owe went from
    // `free` to `left`.
    Result<void> check_issued(std::int64_t free, std::int64_t left);
    StoreTransaction* store_;
};

}  // namespace tallycard
