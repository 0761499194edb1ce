// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include <tallycard/error.hpp>
#include <tallycard/export.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/issuer_client.hpp>

namespace tallycard {

// The operation happened: the card's verified receipt, and its settlement where the platform
// could be reached (a payment settles later).
struct Applied {
    Operation operation;
    Receipt receipt;
    std::optional<Settlement> settlement;
    // A payment whose receipt the journal could not keep: keep it elsewhere, or resolve the card.
    std::optional<Error> not_kept = std::nullopt;
};

// The operation did not happen, and never will under this id. Nothing changed.
struct NotApplied {
    Error reason;
};

// The link broke where the operation may or may not have happened. Ask again with the same id, at
// the next contact with the card, or call Terminal::resolve.
struct InDoubt {
    std::optional<Operation> operation;  // where it is known already
    Error reason;
};

// How a call that moves value ended. Exactly one of three; the type says which.
using Outcome = std::variant<Applied, NotApplied, InDoubt>;

}  // namespace tallycard
