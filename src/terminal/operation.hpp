// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "contact.hpp"

namespace tallycard::contact {

// What an online operation is to do.
struct Intent {
    Kind kind = Kind::cancel;
    Amount amount;  // signed, as in the operation
    std::optional<AccountId> account;
    Parameter parameter;
    std::optional<OperationId> after = std::nullopt;  // see JournalIntent
    // Of a transfer in from an account that is not the card's own.
    AccountSigner* owner = nullptr;
    std::optional<PaymentName> refunds = std::nullopt;
    std::optional<Reference> reference = std::nullopt;  // of a payment
};

// True where a known operation is the one that is meant. An id names one operation only.
bool is_same(const Operation& operation, const Intent& intent);

// Obtains the issuer's signature, once the card and the platform agree. Borrows the contact.
using Ask = std::function<Result<OperationStatus>(const CardInfo&)>;

// The platform makes the operation and signs it.
Ask platform_signs(const Contact& contact, const OperationId& id, const Intent& intent);
// A cash-out or transfer begins at the card, which makes the operation and signs that it asks for
// it.
Ask card_asks(const Contact& contact, const OperationId& id, const Intent& intent);

// One online operation from beginning to end:
//
//     identify -> (disagree? resolve) -> known id? -> ask -> deliver -> settle
//                                           |                   |
//                                           +---> conclude <----+ refused: void; broken: resolve
Outcome perform(const Contact& contact, const OperationId& id, const Intent& intent,
                const Ask& ask);

}  // namespace tallycard::contact
