// SPDX-License-Identifier: Apache-2.0
// Settling results (docs/protocol.md, section 8) within one transaction of the store.
#pragma once

#include <optional>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// Whether an error is the store's: the transaction is lost, not one receipt refused.
bool is_store_error(const Error& error);

class Settler {
public:
    Settler(StoreTransaction& transaction, Unit unit) : store_(&transaction), unit_(unit) {}

    // All checks come before the first write: unless the error is the store's, what it has written
    // is right also where it refuses (evidence, a kept result).
    Result<Settlement> settle(const Submission& submission);

private:
    // What a result is about: an operation that was signed, or a payment that came along.
    struct Executed {
        Operation operation;
        std::optional<Signature> issuer_signature;
        std::optional<AccountId> terminal;
    };
    Result<Settlement> settle_new(CardRow& card, const Submission& submission);
    Result<Settlement> answer_again(CardRow& card, const Submission& submission);
    Result<std::optional<Executed>> find_executed(const Submission& submission);
    bool belongs(const Executed& executed, const CardResult& result) const;
    Result<Settlement> keep(CardRow& card, const Receipt& receipt, const Executed& executed);
    Result<Settlement> apply(CardRow& card, const Receipt& receipt, const Executed& executed);
    Result<void> settle_kept(CardRow& card);
    // Whether one of those kept for the next sequence has settled.
    enum class Progressed : std::uint8_t { yes, no };
    Result<Progressed> settle_next_kept(CardRow& card);
    Error accuse(CardRow& card, EvidenceReason reason, const Receipt& receipt,
                 const std::optional<Operation>& operation);

    StoreTransaction* store_;
    Unit unit_;
};

}  // namespace tallycard
