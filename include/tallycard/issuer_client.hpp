// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include <tallycard/account_id.hpp>
#include <tallycard/card_state.hpp>
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

// What settling a receipt did. The same receipt again answers the same.
struct Settlement {
    bool settled = false;   // false: kept until the results before it have come
    bool restored = false;  // the platform had forgotten that it signed this operation
    std::uint32_t sequence = 0;
    Balance balance;
    std::uint64_t ledger_index = 0;  // of its record, where settled
};

// What a terminal needs of the issuer's platform. A seam: in process, or over a network.
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
    // Likewise. Errc::not_permitted for a cash-out from another terminal's cash.
    virtual Result<OperationStatus> authorise_transfer(const TransferRequest& request) = 0;

    // Errc::unknown_operation when the id was never signed for; Errc::not_permitted for a pending
    // debit that another terminal asked for.
    virtual Result<OperationStatus> status(const OperationId& id,
                                           const std::optional<AccountId>& terminal) = 0;

    // Signs a void beside what is pending for the card; the same void when asked again.
    // Errc::unknown_operation when nothing is pending.
    virtual Result<FirstInstruction> void_pending(const CardId& card_id) = 0;

    // Settles a receipt. `executed` comes along where the platform may not know the operation: a
    // payment, or one found in a card's log. Errc::unknown_operation when it is needed and missing:
    // ask the card (GET OPERATION).
    virtual Result<Settlement> settle(const Receipt& receipt,
                                      const std::optional<ExecutedOperation>& executed) = 0;
};

}  // namespace tallycard
