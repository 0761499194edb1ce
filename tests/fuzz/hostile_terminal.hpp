// SPDX-License-Identifier: Apache-2.0
// A terminal that asks the platform whatever the input says. After each call: what did it change,
// and might it?
#pragma once

#include <optional>
#include <vector>

#include "fuzz.hpp"
#include "issuer_world.hpp"

namespace fuzz {

class HostileTerminal {
public:
    explicit HostileTerminal(Input& input) : input_(input) { last_ = world_.view(); }

    void step();

private:
    // hostile_operations.cpp: what is asked for, executed and settled.
    void authorise();
    void execute();
    void pay();
    void transfer();
    void settle();
    void settle(const tallycard::Receipt& receipt,
                const std::optional<tallycard::ExecutedOperation>& executed);
    void settle_changed();
    void settle_raw();
    void settle_many();
    void ask_together(std::vector<tallycard::Order> orders);
    void broken_card();
    tallycard::ExecutedOperation unheard_of(const test::SimulatedCard& card, bool is_signed);
    bool is_forgotten(const tallycard::Receipt& receipt,
                      const tallycard::ExecutedOperation& executed);
    // hostile_accounts.cpp: orders of accounts, consents, lost cards, gaps.
    void accounts();
    void order();
    void order_raw();
    void check_executed(const tallycard::SignedOrder& order, const tallycard::ExecutedOrder& done,
                        const std::optional<tallycard::PublicKey>& key);
    tallycard::AccountOrder draft();
    std::optional<tallycard::Signature> word_to(const tallycard::AccountOrder& order);
    std::optional<tallycard::Signature> consent_to(const tallycard::Operation& operation);
    void check_consent(const tallycard::TransferRequest& request);
    void declare_lost();
    void close_gaps();
    void pass_time();
    void look_at_gaps();
    void look_at_deny_list();
    std::optional<tallycard::PublicKey> key_of(const tallycard::AccountId& account);

    void void_pending() { changed(world_.platform().void_pending(card().id())); }

    // hostile_office.cpp: what an office does, and what anybody asks.
    void administer();
    void register_card();
    void confirm_card();
    void undeny(const tallycard::CardId& id);
    void checkpoint();
    void look();
    void look_at_status();

    void fail();
    void restart();
    void mend();
    void mend_and_look();

    test::SimulatedCard& card() { return world_.cards[input_.below(world_.cards.size())]; }
    // One of the two that ask.
    const char* terminal() { return input_.one_in(2) ? "T2" : "T1"; }
    tallycard::OperationId id() { return id_of<tallycard::OperationId>(input_.byte() % 8u); }
    std::int64_t amount();
    const tallycard::Submission* known()
    {
        return results_.empty() ? nullptr : &results_[input_.below(results_.size())];
    }
    tallycard::Result<tallycard::CardStanding> look_at(const tallycard::CardId& card_id)
    {
        const auto quiet = IssuerWorld::quiet();
        return world_.platform().standing(card_id, std::nullopt);
    }
    // The same, as the terminal sees it that may deliver what is pending.
    tallycard::Result<tallycard::CardStanding> see(const tallycard::CardId& card_id);

    // The platform knows this before it is asked to sign.
    struct Before {
        bool is_new = false;  // the id
        std::optional<tallycard::CardRow> card;
    };
    Before before(const tallycard::OperationId& id, const tallycard::CardId& card_id);
    static void check_signed(const Before& before, const tallycard::Operation& operation);

    template <class T>
    void changed(const tallycard::Result<T>& result)
    {
        changed(result ? nullptr : &result.error());
    }
    void changed(const tallycard::Error* error);
    void changed_by_hand(const tallycard::Result<void>& result);

    Input& input_;
    IssuerWorld world_;
    View last_;
    std::vector<tallycard::Submission> results_;
    std::vector<tallycard::SignedOrder> orders_;  // that were asked for
    bool is_failing_ = false;
};

}  // namespace fuzz
