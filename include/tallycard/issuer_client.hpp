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

// What the platform knows of a card: what has settled, and what is on its way.
struct CardStanding {
    CardId card_id;
    PublicKey public_key;
    Currency currency;
    CardState state = CardState::operational;  // as of the last settled result
    std::uint32_t settled = 0;                 // sequence of the last settled result
    Balance balance;                           // likewise
    bool denied = false;
    std::optional<FirstInstruction> pending;  // signed, and not ended
    std::optional<FirstInstruction> voiding;  // the void that was signed beside it
};

// An operation that a terminal asks the platform to sign. Not for transfers and payments.
struct OperationRequest {
    OperationId id;  // asking twice with one id is asking once
    CardId card_id;
    Kind kind = Kind::top_up;
    Amount amount;  // signed: below zero for a cash-out, zero for an administrative kind
    Parameter parameter;
    AccountId terminal;  // whose cash moves
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
    bool settled = false;  // false: kept until the results before it have come
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

    virtual Result<CardStanding> standing(const CardId& card_id) = 0;

    // Signs an operation. Errc::operation_pending: another one must be delivered or voided first
    // (see standing()); Errc::unsettled is never an answer here, since the platform cannot know.
    // An id that is known answers how that operation stands, whatever its state;
    // Errc::conflict when it was used for something else.
    virtual Result<OperationStatus> authorise(const OperationRequest& request) = 0;

    // Signs a transfer that the card asked for, after checking the card's signature.
    virtual Result<OperationStatus> authorise_transfer(const OperationId& id,
                                                       const SecondInstruction& second) = 0;

    // Errc::unknown_operation when the id was never signed for.
    virtual Result<OperationStatus> status(const OperationId& id) = 0;

    // Signs a void beside what is pending for the card; the same void when asked again.
    // Errc::unknown_operation when nothing is pending.
    virtual Result<FirstInstruction> void_pending(const CardId& card_id) = 0;

    // Settles a receipt. `operation` comes along where the platform may not know it: a payment, or
    // one found in a card's log. Errc::unknown_operation when it is needed and missing.
    virtual Result<Settlement> settle(const Receipt& receipt,
                                      const std::optional<Operation>& operation) = 0;
};

}  // namespace tallycard
