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
};

// Obtains the issuer's signature, once the card and the platform agree. Borrows the contact.
using Ask = std::function<Result<OperationStatus>(const CardInfo&)>;

// The platform makes the operation and signs it.
Ask platform_signs(const Contact& contact, const OperationId& id, const Intent& intent);
// A transfer begins at the card, which makes the operation and signs that it asks for it.
Ask card_asks(const Contact& contact, const OperationId& id, const Intent& intent);

// One online operation from beginning to end:
//
//     identify -> (disagree? resolve) -> known id? -> ask -> deliver -> settle
//                                           |                   |
//                                           +---> conclude <----+ refused: void; broken: resolve
Outcome perform(const Contact& contact, const OperationId& id, const Intent& intent,
                const Ask& ask);

}  // namespace tallycard::contact
