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
#include <tallycard/entry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/limits.hpp>

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
    // Its payments since its last operation of the issuer, as far as settled.
    Balance offline_spent{};
    // The issuer took this out of its book while it was lost: minor units, 0 to 2^63−1.
    std::int64_t recovered = 0;
    std::optional<Time> lost_since{};  // declared lost
    // Sequence that had settled when the first recovery or write-off was made for it: of what
    // follows only payments, voids, terminate and what was pending then settle.
    std::optional<std::uint32_t> given_up_at{};
    std::optional<std::uint32_t> written_off{};  // sequence of the transfer in that was
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
    // Of a transfer in from an account that is not the card's own: the owner's word.
    std::optional<Signature> consent{};
    std::optional<PaymentName> refunds{};
};

// Whose an account is (docs/accounts.md, section 1). The account of a card is its balance in
// CardRow.
enum class AccountKind : std::uint8_t { cash = 1, associated = 2, card = 3, outside = 4 };

// An account: cash of a terminal (below zero by what it has topped up); an associated account, also
// a holder's, an unclaimed one, or what gaps have left; a card; the world outside.
struct AccountName {
    AccountKind kind = AccountKind::associated;
    AccountId id;  // of a card: its id in hex

    TALLYCARD_EXPORT std::string to_string() const;  // "cash/T1", "account/SHOP", "card/00…"
    friend auto operator<=>(const AccountName&, const AccountName&) = default;
};

TALLYCARD_EXPORT AccountName cash_account(const AccountId& terminal);
TALLYCARD_EXPORT AccountName associated_account(const AccountId& account);
TALLYCARD_EXPORT AccountName card_account(const CardId& card_id);
TALLYCARD_EXPORT AccountName outside_account(const AccountId& name);
// Whom field 87 of an operation that moves value names.
TALLYCARD_EXPORT std::optional<AccountName> other_side(const Operation& operation);
// Whose order it is: of `hand_in` a terminal's.
TALLYCARD_EXPORT AccountName account_of(const AccountOrder& order);

struct AccountRow {
    AccountName name;
    std::int64_t balance = 0;
    std::int64_t reserved = 0;              // promised to pending operations; never below zero
    std::uint32_t number = 0;               // of the last order
    std::optional<PublicKey> key{};         // in force; absent where the account is not open
    std::optional<PublicKey> key_before{};  // that it replaced
};

// One line of the journal: `amount`, above zero, from one account to another.
struct Posting {
    AccountName debit;   // gives
    AccountName credit;  // takes
    Amount amount;
    // Each of the two has this afterwards; a card: its balance less what was recovered.
    std::int64_t debit_after = 0, credit_after = 0;

    friend bool operator==(const Posting&, const Posting&) = default;
};

// A result that cannot settle yet: those in front of it have not come, or its gap has not enough
// left.
struct KeptRow {
    Receipt receipt;
    ExecutedOperation executed;
    AccountId terminal;  // that delivered it
    Time since;          // when it came
    std::optional<Reference> reference{};
};

// Sequences of a card that were passed over (docs/accounts.md, section 6).
struct GapRow {
    CardId card_id;
    std::uint32_t first = 0, last = 0;
    std::uint64_t index = 0;  // of its entry
    // The card in front of it; the balance and the result that the payment behind it names.
    CardState state_before = CardState::operational;
    Balance balance_before, balance_after;
    Digest result_before, result_after;
    PublicKey operation_key;  // that was in the card
    std::int64_t left = 0;    // what it moved, and late credits, less late debits

    bool has(std::uint32_t sequence) const { return first <= sequence && sequence <= last; }
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

// One entry of the ledger with what the store knows beside it.
struct LedgerRow {
    std::uint64_t index = 0;
    Entry entry;
    std::optional<Posting> posting;
    std::optional<Reference> reference;  // of a payment, the merchant's: from its terminal
    std::optional<PaymentName> refunds;  // of a refund
};

// The last entry of the ledger.
struct LedgerEnd {
    std::uint64_t entries = 0;
    Time time{};
};

}  // namespace tallycard
