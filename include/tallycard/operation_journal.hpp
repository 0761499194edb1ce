// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/account_order.hpp>
#include <tallycard/amount.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// What a terminal was asked to do, written down before anybody is asked to do it.
struct JournalIntent {
    OperationId id;
    CardId card_id;  // the one card that this id stands for
    Kind kind = Kind::payment;
    Amount amount;  // as in the operation: below zero for a debit, zero for an administrative kind
    std::optional<AccountId> account = std::nullopt;
    Parameter parameter = {};
    // Not before this one has been applied: the second half of a card-to-card transfer.
    std::optional<OperationId> after = std::nullopt;
    // Of a payment: the merchant's own, which goes along when it settles; never to the card.
    std::optional<Reference> reference = std::nullopt;

    friend bool operator==(const JournalIntent&, const JournalIntent&) = default;
};

// The card is about to be told.
struct JournalSent {
    std::uint32_t sequence = 0;             // of the card, before
    std::optional<FirstInstruction> first;  // what it is told; absent for a payment

    friend bool operator==(const JournalSent&, const JournalSent&) = default;
};

// How far an operation has come. The last two are its ends.
enum class JournalStage : std::uint8_t {
    intended,      // the platform may have signed it
    sent,          // the card may have executed it
    executed,      // the card's receipt is here
    acknowledged,  // the platform has settled the receipt
    not_applied,   // it did not happen
};

struct JournalEntry {
    JournalIntent intent;
    JournalStage stage = JournalStage::intended;
    std::optional<JournalSent> sent = std::nullopt;
    std::optional<Operation> operation = std::nullopt;  // with its receipt
    std::optional<Receipt> receipt = std::nullopt;

    bool is_open() const { return stage < JournalStage::acknowledged; }
    // Goes along with the receipt; empty where the issuer's signature was not written down.
    TALLYCARD_EXPORT std::optional<ExecutedOperation> executed() const;
};

// The operations of one terminal, online and offline. TerminalSettings::journal has a Terminal
// write it; Terminal::drain() brings what is open to its end. So a program that is killed at any
// moment finds here what to ask again, by the same ids, and what to forward after an outage.
//
// A text file of lines that is only appended to, mode 0600, one process at a time; see
// docs/operations.md. Each call is durable when it returns, and has changed nothing when it fails.
// What a loss of power left of the last lines is dropped when the file is opened. Not thread-safe.
class TALLYCARD_EXPORT OperationJournal {
public:
    // Makes the file where there is none. Waits so long for a process that has it: then
    // Errc::file_in_use. Errc::file_damaged with the line in Error::detail; Errc::file_malformed
    // for what is no journal of this version.
    static Result<std::unique_ptr<OperationJournal>> open(
        const std::string& path, std::chrono::milliseconds wait = std::chrono::milliseconds(0));
    virtual ~OperationJournal();

    // The same intent again is no error, and opens what was not applied again; Errc::conflict when
    // the id names another one; Errc::malformed for what is no operation: a kind with an amount or
    // an account that it cannot have. `sent`: and the card is told at once.
    virtual Result<void> intend(const JournalIntent& intent,
                                const std::optional<JournalSent>& sent = std::nullopt) = 0;
    // The others require that the id is known. What has a receipt already stays as it is.
    virtual Result<void> sent(const OperationId& id, const JournalSent& sent) = 0;
    // Also for what was taken to be not applied: it did happen. Errc::conflict when another receipt
    // is there already.
    virtual Result<void> executed(const OperationId& id, const Operation& operation,
                                  const Receipt& receipt) = 0;
    virtual Result<void> acknowledged(const OperationId& id) = 0;
    virtual Result<void> not_applied(const OperationId& id) = 0;

    // Forgets entries that have ended, but for the newest `keep` and what open ones come after. An
    // id that was forgotten is a new one: a payment that is asked for again with it is looked for
    // in the card's log alone.
    virtual Result<void> compact(std::size_t keep) = 0;

    // Oldest first.
    virtual const std::vector<JournalEntry>& entries() const = 0;
    // Null when there is none.
    const JournalEntry* find(const OperationId& id) const;
};

}  // namespace tallycard
