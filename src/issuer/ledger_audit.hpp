// SPDX-License-Identifier: Apache-2.0
// The books that the entries of a ledger make, worked out again from nothing but the entries.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <tallycard/entry.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/ledger_verifier.hpp>
#include <tallycard/store_rows.hpp>

#include "ledger_accounts.hpp"
#include "ledger_checks.hpp"
#include "ledger_gap.hpp"

namespace tallycard {

class LedgerAudit {
public:
    struct Card {
        PublicKey public_key;
        SettledCard now;  // after the entries so far
    };
    // A card from its first recovery (27, 2A) or write-off (2B) on.
    struct LostCard {
        struct WriteOff {
            AccountId account;
            std::optional<OwnerKeys> owner;  // at that moment; none for the card's own account
            bool used = false;               // by the transfer, which came after all
        };
        std::uint32_t settled = 0;   // at that moment
        std::int64_t recovered = 0;  // from its book
        std::optional<WriteOff> write_off;
    };

    // Keys and signatures are left to `checks`, which is used from add_card() on, and ends before
    // this does: its threads write the cards' keys here.
    LedgerAudit(const IssuerDescription& issuer, LedgerChecks& checks)
        : issuer_(&issuer), checks_(&checks)
    {
    }

    // What is wrong with this line, where no check that was added is: all of them come before it.
    // Cards first; their checks are finished before the first entry.
    Objection add_card(std::uint64_t line, const CardId& card_id, const Certificate& certificate,
                       const PublicKey& operation_key);
    Objection add_entry(std::uint64_t line, const Entry& entry);
    // The objection to a ledger that ends here.
    Objection end_entries() const;

    const std::map<CardId, Card>& cards() const { return cards_; }
    const std::map<CardId, LostCard>& lost_cards() const { return lost_; }
    std::int64_t recovered(const CardId& card_id) const;
    // Of a card of the ledger.
    bool is_holder_account(const AccountId& account) const { return holder_of(account) != nullptr; }
    const std::map<AccountName, LedgerAccounts::Account>& accounts() const
    {
        return accounts_.all();
    }
    // Writes what the entries list into a report; no sums over cards and accounts.
    void list(LedgerReport& report) const;

private:
    bool is_operation_key(const PublicKey& key) const;
    // The card whose holder account this is; null where it is none of a card of the ledger.
    const CardId* holder_of(const AccountId& account) const;

    Objection add_gap(std::uint64_t line, const Gap& gap);

    Objection add_record(std::uint64_t line, const Record& record);
    static Objection check_result(const SettledCard& card, const Record& record);
    Objection check_lost(const Record& record) const;
    AuditedGap* gap_of(const Card& card, const Record& record);
    LostCard::WriteOff* write_off_of(const Operation& operation);
    Objection settle(std::uint64_t line, Card& card, const Record& record, bool late);
    Objection post(std::uint64_t line, const Operation& operation, bool late);
    Objection find_owner(const Operation& operation, std::optional<OwnerKeys>& owner);

    Objection add_order(std::uint64_t line, Time time, const AccountRecord& record);
    Objection check_account(const AccountOrder& order) const;
    Objection check_holder(const AccountOrder& order, const CardId& holder) const;
    Objection check_other(const AccountOrder& order) const;
    Objection execute(std::uint64_t line, Time time, const AccountOrder& order);
    Objection recover(const AccountOrder& order);
    Objection write_off(const AccountOrder& order);
    bool may_pend(const CardId& card_id, std::uint32_t settled) const;
    LostCard& lost(const CardId& card_id);

    const IssuerDescription* issuer_;
    LedgerChecks* checks_;
    std::map<CardId, Card> cards_;
    std::map<CardId, LostCard> lost_;
    std::map<CardId, std::vector<AuditedGap>> gaps_;
    LedgerAccounts accounts_;

    std::optional<Time> from_, to_;
    std::optional<CardId> gap_without_payment_;  // of the entry in front
    std::array<LedgerKind, 256> kinds_{};        // by the byte of an operation or an order
    LedgerKind gap_kind_;
    std::vector<LedgerClaim> claims_;
    std::vector<LedgerIssuerAct> issuer_acts_;
    std::vector<LedgerWriteOff> written_off_;
};

}  // namespace tallycard
