// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../../src/protocol/digest.hpp"
#include "fuzz.hpp"
#include "issuer_world.hpp"
#include "scratch.hpp"

namespace fuzz {

inline constexpr tallycard::ChainName chain{.chain_id = 1337, .contract = {}};

// One that is being issued.
inline constexpr std::uint32_t unconfirmed_card = 4;

inline tallycard::OutboxRow transaction(std::uint64_t nonce)
{
    return {.nonce = nonce,
            .kind = tallycard::OutboxKind::record,
            .state = tallycard::OutboxState::sent,
            .first = nonce,
            .entries = 1,
            .block = 0,
            .hash = {},
            .raw = {1, 2, 3}};
}

// Looks at all that a platform has over a store which somebody changed, and goes on with it.
// Whatever is wrong is an error with a name.
class Visitor {
public:
    Visitor(tallycard::Platform& platform, IssuerWorld& world, Input& input)
        : platform_(platform), world_(world), input_(input)
    {
    }

    void look_everywhere()
    {
        check(platform_.accounts());
        check(platform_.cards());
        check(platform_.pending());
        check(platform_.evidence());
        check(platform_.restored());
        check(platform_.records(0, 16));
        check(platform_.ledger_head());
        check(platform_.prove(input_.below(8)));
        check(platform_.prove_consistency(1 + input_.below(4)));
        for (std::uint32_t n = 1; n <= unconfirmed_card; ++n) {
            check(platform_.standing(id_of<tallycard::CardId>(n), std::nullopt));
            check(platform_.standing(id_of<tallycard::CardId>(n), account_of("T1")));
            check(platform_.prove(id_of<tallycard::CardId>(n), 1u + input_.byte() % 4u));
        }
        check(
            platform_.status(id_of<tallycard::OperationId>(1u + input_.byte() % 2u), std::nullopt));
        check(platform_.status(id_of<tallycard::OperationId>(2), account_of("T1")));
        check(platform_.card_of_transport_key({}));
        const auto unconfirmed = id_of<tallycard::CardId>(unconfirmed_card);
        check(platform_.card_of_transport_key(tallycard::sha256(unconfirmed.bytes())));
        check(platform_.account({.kind = tallycard::AccountKind::cash, .id = account_of("T1")}));
        check(platform_.chain(chain));
        check(platform_.ledger_root(1));
        check(platform_.ledger_root(99));
    }
    void go_on()
    {
        auto& card = world_.cards[input_.below(2)];
        const auto standing = platform_.standing(card.id(), account_of("T1"));
        check(standing);
        if (standing && standing->pending &&
            checked_add(card.balance(), standing->pending->operation.amount))
            check(platform_.settle(card.execute(*standing->pending), std::nullopt));
        const auto paid = card.pay(1, "shop");
        check(platform_.settle(paid.receipt, paid.executed));
        ask(card);
        check(platform_.void_pending(card.id()));
        check(platform_.undeny(card.id()));
        check(platform_.confirm_card(id_of<tallycard::CardId>(unconfirmed_card)));
        if (input_.one_in(4))
            check(platform_.export_ledger(scratch().file("export"), IssuerWorld::checkpoint_key()));
        go_on_with_the_chain();
    }

private:
    void ask(const test::SimulatedCard& card)
    {
        const auto id = id_of<tallycard::OperationId>(0x77);
        if (input_.one_in(2))
            return check(platform_.authorise_transfer(
                {.id = id,
                 .second = card.request(tallycard::Kind::cash_out, -1, "T1"),
                 .terminal = account_of("T1")}));
        check(platform_.authorise(
            {.id = id,
             .card_id = card.id(),
             .kind = tallycard::Kind::top_up,
             .amount = tallycard::Amount::minor_units(input_.one_in(2) ? -1 : 1),
             .parameter = {},
             .terminal = account_of("T1")}));
    }

    // What was refused has changed nothing; what was done is there; final is final.
    void go_on_with_the_chain()
    {
        const auto before = platform_.chain(chain);
        check(before);
        if (!before) return;
        tallycard::ChainChange change;
        if (input_.one_in(2)) change.final_entries = input_.below(4);
        for (auto row : before->outbox) {
            if (input_.one_in(2)) {
                change.dropped.push_back(row.nonce);
            } else {
                row.state = input_.one_in(4) ? tallycard::OutboxState::failed
                                             : tallycard::OutboxState::included;
                change.changed.push_back(row);
            }
        }
        if (input_.one_in(2)) change.sent = transaction(input_.below(3));
        const auto done = platform_.update_chain(chain, change);
        check(done);
        const auto after = platform_.chain(chain);
        check(after);
        if (!after) return;
        FUZZ_CHECK(after->final_entries >= before->final_entries);
        if (!done) FUZZ_CHECK(after->outbox == before->outbox);
        const auto kept = before->outbox.size() - change.dropped.size() + (change.sent ? 1u : 0u);
        // Without its row the chain is one that nothing was written to, whatever is in its outbox.
        if (done && !before->outbox.empty()) FUZZ_CHECK(after->outbox.size() == kept);
    }

    template <class T>
    void check(const tallycard::Result<T>& result)
    {
        if (!result)
            FUZZ_CHECK(result.error().where[0] != '\0' && !result.error().message().empty());
    }

    tallycard::Platform& platform_;
    IssuerWorld& world_;
    Input& input_;
};

}  // namespace fuzz
