// SPDX-License-Identifier: Apache-2.0
// Settling results (docs/protocol.md, section 8) within one transaction of the store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// Whether an error is the store's: the transaction is lost, not one receipt refused.
bool is_store_error(const Error& error);

class Settler {
public:
    // `operation_keys`: all that the issuer has or had.
    Settler(StoreTransaction& transaction, Unit unit, std::span<const PublicKey> operation_keys)
        : store_(&transaction), unit_(unit), operation_keys_(operation_keys)
    {
    }

    // All checks come before the first write: unless the error is the store's, what it has written
    // is right also where it refuses (evidence, a kept result).
    Result<Settlement> settle(const Submission& submission);

private:
    // The operation of a result, and how it is known: it was signed here, or it came along with the
    // result and is a payment, or has our signature that the store has forgotten.
    enum class Known : std::uint8_t { signed_here, payment, restored, foreign };
    struct Executed {
        ExecutedOperation logged;
        Known known = Known::foreign;
    };
    Result<Settlement> settle_new(CardRow& card, const Submission& submission);
    Result<Settlement> answer_again(CardRow& card, const Submission& submission);
    Result<std::optional<Executed>> find_executed(const CardRow& card,
                                                  const Submission& submission);
    Result<void> fits_books(const Executed& executed);
    Known judge(const CardRow& card, const ExecutedOperation& logged,
                const CardResult& result) const;
    Result<Settlement> keep(CardRow& card, const Receipt& receipt, const Executed& executed);
    Result<Settlement> apply(CardRow& card, const Receipt& receipt, const Executed& executed);
    Result<void> settle_kept(CardRow& card);
    // Whether one of those kept for the next sequence has settled.
    enum class Progressed : std::uint8_t { yes, no };
    Result<Progressed> settle_next_kept(CardRow& card);
    Error accuse(CardRow& card, EvidenceReason reason, const Receipt& receipt,
                 const std::optional<ExecutedOperation>& executed);

    StoreTransaction* store_;
    Unit unit_;
    std::span<const PublicKey> operation_keys_;
};

}  // namespace tallycard
