// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tallycard/deny_list.hpp>
#include <tallycard/platform.hpp>

#include "bookkeeper.hpp"
#include "environment.hpp"
#include "sim_card.hpp"

namespace simulation {

using namespace tallycard;

// Watches what the platform says, and compares it with its books, its ledger, and the cards.
class Auditor {
public:
    using Cards = std::vector<SimCard*>;

    Auditor(Environment& environment, const IssuerDescription& issuer)
        : environment_(environment), books_(environment, issuer)
    {
    }

    // That an operation was asked for, by whom.
    void asked_for(const OperationId& id, const AccountId& terminal);
    void asked_for(const TransferRequest& request);
    // What the platform answered, whether or not it arrived.
    void signed_for(const OperationId& id, const AccountId& terminal,
                    const OperationStatus& status);
    void disclosed(const FirstInstruction& first);
    // A terminal was told what is pending, or that it may not see it.
    void shown(const FirstInstruction& first, const std::optional<AccountId>& terminal);
    void withheld(const CardStanding& standing, const std::optional<AccountId>& terminal);
    bool has_asked(const OperationId& id, const AccountId& terminal) const;
    void submitted(const Submission& submission, const Result<Settlement>& reply);
    // An order that its owner or the operator gave, and what the platform answered.
    void ordered(const AccountOrder& order) { books_.ordered(order); }
    void executed(const SignedOrder& order, const Result<ExecutedOrder>& reply);
    void denied_by_us(const CardId& card_id, bool denied)
    {
        denied_[card_id] = denied;
        denied_in_doubt_.erase(card_id);
        if (!denied) books_.taken_back(card_id);
    }
    void declared_lost(const CardId& card_id) { books_.declared_lost(card_id); }
    // The commit failed, and a restart may bring it back.
    void denied_perhaps(const CardId& card_id) { denied_in_doubt_.insert(card_id); }
    void published(const Checkpoint& checkpoint) { checkpoints_.push_back(checkpoint); }

    const std::vector<Checkpoint>& checkpoints() const { return checkpoints_; }
    // The operation that was signed under an id, where one was.
    std::optional<Digest> operation_of(const OperationId& id) const;
    // Whether there is evidence against a card, of any kind, as far as the last step showed.
    bool is_accused(const CardId& card_id) const { return accused_.contains(card_id); }
    bool is_settled(const CardId& card_id, std::uint32_t sequence) const;
    std::uint64_t entries() const { return entries_.size(); }
    const Bookkeeper& books() const { return books_; }
    // A settled payment to one of the accounts, by number; empty where there is none.
    std::optional<Operation> payment(std::uint64_t number) const;

    // After each step: everything that can be checked then.
    void after_step(Platform& platform, const Cards& cards);
    // At the end, when every operation has been brought to its end.
    void at_end(Platform& platform, const Cards& cards);

private:
    struct Signed {
        std::optional<Digest> operation, beside;
    };
    using Place = CardPlace;

    void find_unheard(Platform& platform);
    void read_ledger(Platform& platform, const std::vector<CardRow>& rows, const Cards& cards);
    void take(const Entry& entry, const std::vector<CardRow>& rows, const Cards& cards);
    void take(const Record& record, const CardRow& row, const Cards& cards);
    static void check_gap(const Gap& gap, const Cards& cards);
    void check_acknowledged() const;
    void check_books(Platform& platform, const std::vector<CardRow>& rows, const Cards& cards);
    void check_reserved(const std::vector<AccountRow>& accounts,
                        const std::vector<FirstInstruction>& pending) const;
    void check_pending(const std::vector<CardRow>& rows,
                       const std::vector<FirstInstruction>& pending) const;
    void check_card(const CardRow& row, const SimCard& card) const;
    void check_accounts(const std::vector<AccountRow>& accounts) const;
    void check_refunds() const;
    void check_losses(const CardRow& row, const Cards& cards) const;
    void check_gaps(Platform& platform, const CardId& card_id) const;
    void check_gaps_at_end(const SimCard& card) const;
    std::int64_t executed_and_written_off(const SimCard& card) const;
    void check_deny_list(Platform& platform, const std::vector<CardRow>& rows);
    void check_evidence(Platform& platform, const std::vector<CardRow>& rows, const Cards& cards);
    static bool is_forked(const Cards& cards, const CardId& card_id);
    static std::string place_name(const CardId& card_id, std::uint32_t sequence);

    Environment& environment_;
    Bookkeeper books_;
    std::map<OperationId, Digest> by_id_;
    std::map<OperationId, AccountId> unheard_;      // asked for, and not known to be signed
    std::map<Digest, AccountId> terminals_;         // for whom an operation was signed
    std::map<Digest, std::set<AccountId>> asking_;  // who asked for what a card asked for
    std::map<Place, Signed> signed_;
    std::map<Place, std::set<Digest>> results_;    // that the platform has judged
    std::map<Place, std::uint64_t> acknowledged_;  // ledger index, as answered
    std::map<Digest, ExecutedOrder> executed_;     // orders, as answered
    std::map<OperationId, PaymentName> refunds_;   // that were asked for
    std::vector<Bytes> entries_;
    std::map<Place, std::uint64_t> places_;
    std::map<Place, Operation> payments_;         // settled
    std::map<Place, Digest> ended_by_;            // the operation that settled there
    std::map<OperationId, Operation> refunding_;  // signed
    std::set<Place> kept_;                        // answered as kept, once
    std::map<CardId, bool> denied_;
    std::set<CardId> denied_in_doubt_;
    std::set<CardId> accused_;
    std::set<Digest> revocable_;  // results that are evidence which the operator may take back
    std::vector<Checkpoint> checkpoints_;
    DenyList deny_list_;
};

}  // namespace simulation
