// SPDX-License-Identifier: Apache-2.0
// What the records of a ledger say, worked out again from nothing but the records.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <tallycard/account_id.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/record.hpp>
#include <tallycard/store_rows.hpp>

#include "ledger_checks.hpp"

namespace tallycard {

__extension__ using WideAmount = __int128;

class LedgerAudit {
public:
    // Where a card stands after the records so far.
    struct Card {
        PublicKey public_key;
        PublicKey operation_key;
        std::uint32_t settled = 0;
        Balance balance;
        Digest last_result;
        CardState state = CardState::operational;
    };

    // Keys and signatures are left to `checks`, which is used from add_card() on, and ends before
    // this does: its threads write the cards' keys here.
    LedgerAudit(const IssuerDescription& issuer, LedgerChecks& checks)
        : issuer_(&issuer), checks_(&checks)
    {
    }

    // What is wrong with this line, where no check that was added is: all of them come before it.
    // Cards first; their checks are finished before the first record.
    Objection add_card(std::uint64_t line, const CardId& card_id, const Certificate& certificate,
                       const PublicKey& operation_key);
    Objection add_record(std::uint64_t line, const Record& record);

    const std::map<CardId, Card>& cards() const { return cards_; }
    // All that the records name.
    const std::map<AccountName, WideAmount>& accounts() const { return accounts_; }

private:
    bool is_operation_key(const PublicKey& key) const;
    static Objection check_result(const Card& card, const Record& record);
    Objection post(const Operation& operation);

    const IssuerDescription* issuer_;
    LedgerChecks* checks_;
    std::map<CardId, Card> cards_;
    std::map<AccountName, WideAmount> accounts_;
};

}  // namespace tallycard
