// SPDX-License-Identifier: Apache-2.0
// A gap in a card's results, and the late ones that belong into it (docs/accounts.md, section 6).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <tallycard/card_state.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/ledger_verifier.hpp>

#include "ledger_checks.hpp"

namespace tallycard {

// Where a card stands after some of its results.
struct SettledCard {
    std::uint32_t sequence = 0;
    Balance balance;
    Digest last_result;
    CardState state = CardState::operational;
    PublicKey operation_key;
};

class AuditedGap {
public:
    // The objection to a gap of a card that stands so.
    static Objection check(const SettledCard& before, const Gap& gap);
    // Requires that nothing is.
    AuditedGap(std::uint64_t line, const SettledCard& before, const Gap& gap);

    bool contains(std::uint32_t sequence) const
    {
        return sequence >= report_.first && sequence <= report_.last;
    }
    std::uint32_t first() const { return report_.first; }
    const SettledCard& before() const { return before_; }
    // True while an operation that was signed for the first sequence may still pend.
    bool may_pend() const { return !late_.contains(first()); }

    // Takes a late result, in whatever order they come. Requires that the gap contains its sequence
    // and that the result is the operation's.
    Objection add(const Record& record);

    const LedgerGap& report() const { return report_; }

private:
    // One end of a result: what the result beside it must fit.
    struct End {
        Digest result;
        Balance balance;
    };
    struct Late {
        End front, back;
    };

    Objection check_kind(const Record& record) const;
    Objection check_ends(std::uint32_t sequence, const Late& late) const;
    std::optional<End> in_front_of(std::uint32_t sequence) const;
    std::optional<End> behind(std::uint32_t sequence) const;

    SettledCard before_;
    End end_;
    std::map<std::uint32_t, Late> late_;
    LedgerGap report_;
};

}  // namespace tallycard
