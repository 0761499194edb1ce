// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include <tallycard/account_id.hpp>
#include <tallycard/card_state.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/result.hpp>
#include <tallycard/unit.hpp>

namespace tallycard {

// The platform's knowledge of a card: the settled part, and the pending operations.
struct CardStanding {
    CardId card_id;
    PublicKey public_key;
    Currency currency;
    CardState state = CardState::operational;  // as of the last settled result
    std::uint32_t settled = 0;                 // sequence of the last settled result
    Balance balance;                           // likewise
    bool denied = false;
    std::optional<FirstInstruction> pending;  // signed, and not ended
    // A cash-out or transfer out is pending that another terminal asked for: `pending` is empty,
    // and it can only be voided.
    bool withheld = false;
    std::optional<FirstInstruction> voiding;  // the void that was signed beside it

    bool is_pending() const { return pending || withheld; }
};

// An operation that a terminal asks the platform to sign: a top-up, or an administrative kind. What
// needs the card's request is asked for by TransferRequest.
struct OperationRequest {
    OperationId id;  // asking twice with one id is asking once
    CardId card_id;
    Kind kind = Kind::top_up;
    Amount amount;  // above zero for a top-up, zero for an administrative kind
    Parameter parameter;
    AccountId terminal;  // that asks; its cash moves
};

// A cash-out, transfer in or transfer out that the card has asked for.
struct TransferRequest {
    OperationId id;  // asking twice with one id is asking once
    SecondInstruction second;
    AccountId terminal;  // that asks; of a cash-out, field 87 names it too
    // Of a transfer in from an account that is not the card's own: its owner's word to it.
    std::optional<Signature> consent{};
    std::optional<PaymentName> refunds{};  // the payment to that account that it gives back
};

// How an operation that was asked for stands.
enum class Progress : std::uint8_t {
    pending,  // signed; deliver `first`
    settled,  // executed, and its receipt settled
    voided,   // another result took its sequence: it never executed and never will
};

struct OperationStatus {
    Progress progress = Progress::pending;
    FirstInstruction first;
    std::optional<Receipt> receipt;  // where it is settled
};

// A receipt to settle, and its operation where the platform may not know it.
struct Submission {
    Receipt receipt;
    std::optional<ExecutedOperation> executed;
    AccountId terminal;  // that delivers it: goes into the ledger, moves nothing
    // Of a payment, the merchant's own: an order number. Kept beside the ledger, shown in
    // statements.
    std::optional<Reference> reference{};
};

// What settling a receipt did. The same receipt again answers the same.
struct Settlement {
    bool settled = false;   // false: kept until the results before it have come
    bool restored = false;  // the platform had forgotten that it signed this operation
    std::uint32_t sequence = 0;
    Balance balance;
    std::uint64_t ledger_index = 0;  // of its record, where settled
};

// The platform's knowledge of an account, for its owner.
struct AccountStanding {
    AccountId account;
    std::int64_t balance = 0;      // minor units
    std::int64_t reserved = 0;     // of it, promised to pending transfers in
    std::uint32_t number = 0;      // of the last order: the next one is one more
    std::optional<PublicKey> key;  // in force; absent where nobody has opened it

    friend bool operator==(const AccountStanding&, const AccountStanding&) = default;
};

// An order with its owner's signature, where the kind has one.
struct SignedOrder {
    AccountOrder order;
    std::optional<Signature> owner;
};

// An order that the platform has executed: in the ledger, for good.
struct ExecutedOrder {
    AccountRecord record;
    Time time;
    std::uint64_t ledger_index = 0;
};

// The issuer's platform as terminals and owners of accounts need it. A seam: in process,
// or over a network.
//
// Every call is safe to repeat. An Error with Effect::unknown means that the answer was lost:
// ask again. Implementations say whether they are thread-safe.
class TALLYCARD_EXPORT IssuerClient {
public:
    virtual ~IssuerClient();

    // As `terminal` may see it, or nobody: a pending debit is shown to the terminal that asked for
    // it alone.
    virtual Result<CardStanding> standing(const CardId& card_id,
                                          const std::optional<AccountId>& terminal) = 0;

    // Signs an operation. Errc::operation_pending: another one must be delivered or voided first
    // (see standing()); Errc::unsettled is never an answer here, since the platform cannot know.
    // An id that is known answers how that operation stands, whatever its state;
    // Errc::conflict when it was used for something else. Errc::amount_limit, balance_too_low,
    // balance_limit: what the card would refuse is refused before it is signed.
    // Errc::no_such_request for a kind that the card must ask for itself.
    virtual Result<OperationStatus> authorise(const OperationRequest& request) = 0;

    // Signs a cash-out or transfer that the card asked for, after checking the card's signature.
    // Likewise. Errc::not_permitted for a cash-out from another terminal's cash. Of a transfer in:
    // Errc::not_the_owner where nobody can consent, consent_needed, bad_signature, refund_limit.
    virtual Result<OperationStatus> authorise_transfer(const TransferRequest& request) = 0;

    // Errc::unknown_operation when the id was never signed for; Errc::not_permitted for a pending
    // debit that another terminal asked for.
    virtual Result<OperationStatus> status(const OperationId& id,
                                           const std::optional<AccountId>& terminal) = 0;

    // Signs a void beside what is pending for the card; the same void when asked again.
    // Errc::unknown_operation when nothing is pending.
    virtual Result<FirstInstruction> void_pending(const CardId& card_id) = 0;

    // Settles a receipt. Its operation comes along where the platform may not know it: a payment,
    // or one found in a card's log. Errc::unknown_operation when it is needed and missing: ask the
    // card (GET OPERATION).
    virtual Result<Settlement> settle(const Submission& submission) = 0;

    // Errc::unknown_account.
    virtual Result<AccountStanding> account_standing(const AccountId& account) = 0;
    // Executes an account order; one with an id that the account has seen answers as the first
    // time, whatever its number. Errc::conflict when that was another order; wrong_order_number,
    // with the next number as its detail; account_state, unknown_account, unknown_card,
    // insufficient_funds, consent_needed where the owner has not signed, bad_signature. A refused
    // order has changed nothing.
    virtual Result<ExecutedOrder> execute(const SignedOrder& order) = 0;
};

}  // namespace tallycard
