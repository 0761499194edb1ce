// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/amount.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// What a terminal was asked to take from a card, written down before the card is asked.
struct PaymentIntent {
    OperationId id;
    CardId card_id;  // the one card that may pay under this id
    Amount amount;   // above zero
    AccountId payee;

    friend bool operator==(const PaymentIntent&, const PaymentIntent&) = default;
};

// A payment of the journal, as far as it got.
struct JournalPayment {
    PaymentIntent intent;
    std::optional<Operation> operation;  // with its receipt, once the card has signed
    std::optional<Receipt> receipt;
    bool closed = false;  // settled with the platform, or known not to have happened
};

// The offline payments of one terminal: what it meant to take, what cards signed, and what has
// settled. Store and forward: a program that is killed at any moment finds here what to ask again.
//
// A text file of lines that is only appended to, mode 0600, one process at a time. Each call is
// durable when it returns. A last line that a loss of power cut short is dropped when it is opened.
// Not thread-safe.
class TALLYCARD_EXPORT PaymentJournal {
public:
    // Makes the file where there is none. Errc::file_in_use; Errc::file_damaged with the offset of
    // the line in Error::detail.
    static Result<std::unique_ptr<PaymentJournal>> open(const std::string& path);
    virtual ~PaymentJournal();

    // Writing an intent again is no error; Errc::conflict when the id names another payment.
    virtual Result<void> intend(const PaymentIntent& intent) = 0;
    // Opens a payment again that was closed: it did happen. Errc::conflict when another receipt is
    // there already.
    virtual Result<void> paid(const OperationId& id, const Operation& operation,
                              const Receipt& receipt) = 0;
    // It settled, or did not happen and will not be asked for again.
    virtual Result<void> close(const OperationId& id) = 0;

    // Oldest first.
    virtual const std::vector<JournalPayment>& payments() const = 0;
};

}  // namespace tallycard
