// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include <tallycard/account_id.hpp>
#include <tallycard/amount.hpp>
#include <tallycard/card_state.hpp>
#include <tallycard/chain_rows.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/limits.hpp>
#include <tallycard/record.hpp>

// What a Store holds. Value types.
namespace tallycard {

// A card as of its last settled result.
struct CardRow {
    CardId card_id;
    Certificate certificate;
    PublicKey public_key;
    Digest transport_key;           // SHA-256 of it: which blank card this one was made of
    PublicKey first_operation_key;  // that it was personalised with
    PublicKey operation_key;        // that is in it now
    bool issued = false;            // seen personalised; false: perhaps
    bool denied = false;
    CardState state = CardState::operational;
    std::uint32_t settled = 0;
    Balance balance;
    Digest last_result;
    Limits limits;  // that it was personalised with, then those of each kind 10 that has settled
};

// Which of the operations that were signed for one sequence of a card.
enum class SignedAs : std::uint8_t {
    pending = 0,   // the one that was asked for
    beside = 1,    // a void beside it
    restored = 2,  // one that the store had forgotten: the card had it, with our signature
};

// An operation that was signed. Never changes: how it ended follows from the card's records.
struct OperationRow {
    std::optional<OperationId> id;  // absent where nobody asked for it with one
    Digest request;                 // of what was asked for under this id
    FirstInstruction first;
    std::optional<AccountId> terminal;  // that asked for it, where one did
    SignedAs as = SignedAs::pending;
};

// Whose an account is. The account of a card is its balance in CardRow.
enum class AccountKind : std::uint8_t { cash = 1, associated = 2, card = 3 };

// An account: cash of a terminal (below zero by what it has topped up), or an associated account.
struct AccountName {
    AccountKind kind = AccountKind::associated;
    AccountId id;  // of a card: its id in hex

    TALLYCARD_EXPORT std::string to_string() const;  // "cash/T1", "account/H-00…", "card/00…"
    friend auto operator<=>(const AccountName&, const AccountName&) = default;
};

struct AccountRow {
    AccountName name;
    std::int64_t balance = 0;
    std::int64_t reserved = 0;  // promised to pending operations; never below zero
};

// One line of the journal: `amount`, above zero, from one account to another.
struct Posting {
    AccountName debit;   // gives
    AccountName credit;  // takes
    Amount amount;
};

// A result that came before those in front of it, with its operation.
struct KeptRow {
    Receipt receipt;
    ExecutedOperation executed;
};

enum class EvidenceReason : std::uint8_t {
    second_result = 1,  // another result for a sequence that has one
    foreign_operation,  // an operation that nobody authorised, or of another card or sequence
    broken_chain,       // does not continue the result before it
    wrong_balance,      // the balance does not follow
    wrong_state,        // the state does not follow, or did not admit the operation
};

// "second_result"
TALLYCARD_EXPORT const char* name(EvidenceReason reason) noexcept;

// A result with the card's own signature that proves it cloned, rolled back or broken.
struct EvidenceRow {
    EvidenceReason reason{};
    Receipt receipt;
    std::optional<Operation> operation;
};

}  // namespace tallycard
