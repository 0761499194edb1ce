// SPDX-License-Identifier: Apache-2.0
// Settling results (docs/protocol.md, section 8; docs/accounts.md, sections 5 and 6) within one
// transaction of the store.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

#include "books.hpp"
#include "ledger_writer.hpp"

namespace tallycard {

// True for an error of the store, or of the clock: the transaction is lost, not one receipt
// refused.
bool is_store_error(const Error& error);

// Puts a card on the deny list, or takes it off, where that changes something.
Result<void> set_denied(StoreTransaction& store, CardRow& card, bool denied);

class Settler {
public:
    Settler(StoreTransaction& transaction, const PlatformSettings& settings, Time now)
        : store_(&transaction),
          settings_(&settings),
          now_(now),
          books_(transaction),
          writer_(transaction, now, settings.longest_silence)
    {
    }

    // All checks come before the first write: unless the error is the store's, what it has written
    // is right also where it refuses (evidence, a kept result).
    Result<Settlement> settle(const Submission& submission);
    // Makes what is missing in front of the card's kept payments gaps, where the time for it has
    // come, and settles them; how many gaps.
    Result<std::size_t> close_gaps(CardRow& card);

private:
    // The operation of a result, and how it is known: it was signed here, or it came along with the
    // result and is a payment, or has our signature that the store has forgotten.
    enum class Known : std::uint8_t { signed_here, payment, restored, foreign };
    struct Executed {
        ExecutedOperation logged;
        Known known = Known::foreign;
    };
    // A result with its operation, and who delivered it.
    struct Settling {
        Receipt receipt;
        Executed executed;
        AccountId terminal;
        std::optional<Reference> reference;
    };

    Result<Settlement> settle_any(CardRow& card, const Submission& submission);
    Result<Settlement> settle_past(CardRow& card, const Submission& submission);
    Result<Settlement> settle_next(CardRow& card, const Submission& submission);
    Result<Settlement> settle_late(CardRow& card, GapRow& gap, const Submission& submission);
    Result<std::optional<Settlement>> known_settlement(const CardResult& result);
    Result<std::optional<Executed>> find_executed(const CardRow& card, const Submission& submission,
                                                  const std::optional<PublicKey>& key);
    Known judge(const ExecutedOperation& logged, const CardResult& result,
                const std::optional<PublicKey>& key) const;

    // Why it may not settle now, for reasons that are no evidence.
    Result<void> check_admitted(const CardRow& card, const Executed& executed);
    Result<void> check_consent(const Operation& operation, const std::optional<Signature>& consent);
    Result<void> check_books(const Executed& executed, const std::optional<Posting>& posting);
    std::optional<Posting> posting_for(const CardRow& card, const Operation& operation) const;
    Result<Settlement> keep(CardRow& card, const Settling& settling);
    Result<Settlement> apply(CardRow& card, const Settling& settling);
    // The effects of a result beside the card's standing: reservations, books, ledger.
    Result<Settlement> write(const CardRow& card, const Settling& settling,
                             const std::optional<Posting>& posting);
    Result<void> settle_kept(CardRow& card);
    // Whether one of those kept for the next sequence has settled.
    enum class Progressed : std::uint8_t { yes, no };
    Result<Progressed> settle_next_kept(CardRow& card);
    Result<Progressed> close_one_gap(CardRow& card);
    Result<Progressed> make_gap(CardRow& card, const KeptRow& payment);
    Result<void> settle_waiting(CardRow& card, GapRow& gap);

    // Where a late result stands between its neighbours, as far as they are known.
    struct Neighbour {
        Balance balance;  // in front of the late result, or behind it
        Digest result;
    };
    Result<std::optional<Neighbour>> in_front(const GapRow& gap, std::uint32_t sequence);
    Result<std::optional<Neighbour>> behind(const GapRow& gap, std::uint32_t sequence);
    Result<std::optional<EvidenceReason>> contradiction(const GapRow& gap,
                                                        const Operation& operation,
                                                        const CardResult& result);
    Error accuse(CardRow& card, EvidenceReason reason, const Receipt& receipt,
                 const std::optional<ExecutedOperation>& executed);

    StoreTransaction* store_;
    const PlatformSettings* settings_;
    Time now_;
    Books books_;
    LedgerWriter writer_;
};

}  // namespace tallycard
