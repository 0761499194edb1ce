// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tallycard/card_state.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/issuer_description.hpp>

#include "environment.hpp"
#include "merchants.hpp"

namespace simulation {

using namespace tallycard;

// The books as the entries of the ledger say, kept a second time, by the rules alone: I19 to I23.
// Amounts are in minor units.
class Bookkeeper {
public:
    struct Account {
        std::int64_t balance = 0;
        std::uint32_t number = 0;  // of the last order
        std::optional<PublicKey> key, key_before;
        std::set<OperationId> ids;  // of its orders
    };
    // A transfer in that was written off, and the keys of its account at that moment.
    struct WriteOff {
        Operation operation;
        std::optional<PublicKey> key, key_before;
    };
    struct Gap {
        std::uint32_t first = 0, last = 0;
        std::int64_t moved = 0, left = 0;
        std::map<std::uint32_t, Operation> late;
        bool has(std::uint32_t sequence) const { return first <= sequence && sequence <= last; }
    };
    struct Card {
        std::uint32_t sequence = 0;
        std::int64_t balance = 0;
        Digest last_result;
        CardState state = CardState::operational;
        Limits limits;
        std::uint32_t limits_at = 0;  // the sequence that set them
        std::int64_t spent = 0;       // offline, since its last operation of the issuer
        bool may_be_online = false;   // such a one may be among the missing results
        std::int64_t recovered = 0;
        std::optional<std::uint32_t> given_up_at;
        std::optional<WriteOff> write_off;
        std::vector<Gap> gaps;
        std::optional<Time> lost_since;
        // The most that it may have spent offline, and what was pending, when it was recovered
        // last.
        std::int64_t exposure = 0;

        std::int64_t book() const { return balance - recovered; }
        const Gap* gap_of(std::uint32_t place) const;
        bool has_settled(std::uint32_t place) const;
        // False where a result of a gap has not come.
        bool is_whole() const;
    };

    Bookkeeper(Environment& environment, const IssuerDescription& issuer)
        : environment_(environment), issuer_(issuer)
    {
    }

    void issued(const CardId& card_id, const Limits& limits) { cards_[card_id].limits = limits; }
    void declared_lost(const CardId& card_id);
    void taken_back(const CardId& card_id) { cards_[card_id].lost_since.reset(); }
    // Somebody gave this order, and may have it executed.
    void ordered(const AccountOrder& order) { ordered_.insert(digest_of(order)); }
    // The platform keeps the result of a payment.
    void kept(const CardPlace& place, std::int64_t amount)
    {
        const auto [known, is_new] = kept_.emplace(place, amount);
        if (!is_new) known->second = std::min(known->second, amount);
    }
    // The platform signed this, for good.
    void disclosed(const Operation& operation);

    // In the order of the ledger.
    void take(const Entry& entry);

    const std::map<std::string, Account>& accounts() const { return accounts_; }
    const Card& card(const CardId& card_id) { return cards_[card_id]; }
    const std::map<CardId, Card>& cards() const { return cards_; }
    const Account* find(const AccountId& account) const;
    bool has_executed(const AccountOrder& order) const
    {
        return executed_.contains(digest_of(order));
    }
    // Something of it was recovered, or written off.
    bool is_given_up(const CardId& card_id) const
    {
        const auto found = cards_.find(card_id);
        return found != cards_.end() && found->second.given_up_at.has_value();
    }
    // Transfers in and top-ups that are in a gap, and whose end has not come.
    std::vector<Operation> credits_in_gaps() const;
    // The transfer that was written off and has not come yet.
    std::optional<Operation> written_off(const CardId& card_id) const;
    // The sum of what gaps have left, and of what cards paid to that name.
    std::int64_t unaccounted() const;
    bool waits_for_payment() const { return gap_without_payment_.has_value(); }
    Time last_time() const { return last_time_; }

private:
    void take(const Record& record);
    void take(const AccountRecord& record);
    void take(const tallycard::Gap& gap);
    void take_late(Card& card, Gap& gap, const Record& record);
    static void set_limits(Card& card, const Operation& operation);
    void take_next(Card& card, const Record& record);
    void check_consent(const Card& card, const Record& record) const;
    void check_given_up(const Card& card, const Operation& operation) const;
    void check_owner(const AccountRecord& record, const Account& account) const;
    void check_state(const AccountOrder& order, const Account& account) const;
    void change_keys(const AccountOrder& order, Account& account) const;
    void move(const std::string& from, const std::string& to, std::int64_t amount);
    void recover(const AccountOrder& order, Card& card);
    void write_off(const AccountOrder& order, Card& card);
    std::int64_t exposure_of(const CardId& card_id, const Card& card) const;
    std::int64_t proven(const CardId& card_id, const Card& card) const;
    static std::vector<Operation> pending(const std::map<CardPlace, std::vector<Operation>>& all,
                                          const CardId& card_id, const Card& card);
    // True where the owner with this key gave its word to that, and this is it.
    bool is_word(const std::optional<PublicKey>& key, const Operation& operation,
                 const Signature& consent) const;
    bool is_signed_by_issuer(const auto& object) const;

    Environment& environment_;
    IssuerDescription issuer_;
    std::map<std::string, Account> accounts_;
    std::map<CardId, Card> cards_;
    std::set<Digest> ordered_, executed_;
    std::map<CardPlace, std::int64_t> kept_;
    std::map<CardPlace, std::vector<Operation>> disclosed_;
    std::optional<CardPlace> gap_without_payment_;
    Time last_time_{};
    std::int64_t paid_to_unaccounted_ = 0;
};

// "cash/T1", "account/SHOP": whom field 87 of an operation that moves value names.
std::string other_side_of(const Operation& operation);

}  // namespace simulation
