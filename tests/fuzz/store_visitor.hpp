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
// One that is lost, with a gap.
inline constexpr std::uint32_t lost_card = 5;

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
        check(platform_.entries(0, 32));
        check(platform_.account_standing(account_of("shop")));
        check(platform_.cards_with_kept(std::nullopt, 8));
        check(platform_.deny_list(input_.below(3), IssuerWorld::checkpoint_key()));
        check(platform_.ledger_head());
        check(platform_.prove(input_.below(24)));
        check(platform_.prove_consistency(1 + input_.below(4)));
        for (std::uint32_t n = 1; n <= lost_card; ++n) {
            check(platform_.standing(id_of<tallycard::CardId>(n), std::nullopt));
            check(platform_.standing(id_of<tallycard::CardId>(n), account_of("T1")));
            check(platform_.prove(id_of<tallycard::CardId>(n), 1u + input_.byte() % 4u));
            check(platform_.kept(id_of<tallycard::CardId>(n)));
            check(platform_.gaps(id_of<tallycard::CardId>(n)));
            check(platform_.recoverable(id_of<tallycard::CardId>(n)));
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
            check(platform_.settle(test::submission(card.execute(*standing->pending))));
        const auto paid = card.pay(1, "shop");
        check(platform_.settle(paid));
        ask(card);
        order();
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

    // An order that is right for what the account says of itself, or one that the store has.
    void order()
    {
        using tallycard::OrderKind;
        constexpr OrderKind kinds[] = {OrderKind::pay_in,    OrderKind::pay_out,  OrderKind::adjust,
                                       OrderKind::recover,   OrderKind::move,     OrderKind::close,
                                       OrderKind::reset_key, OrderKind::write_off};
        const auto kind = kinds[input_.below(std::size(kinds))];
        const auto lost = id_of<tallycard::CardId>(lost_card).to_string();
        const char* other = tallycard::names_outside(kind) ? "bank" : nullptr;
        if (tallycard::names_card(kind)) other = lost.c_str();
        if (kind == OrderKind::move) other = "another";
        const bool gives = kind == OrderKind::pay_out || kind == OrderKind::move;
        const bool moves = gives || kind == OrderKind::pay_in || kind == OrderKind::adjust ||
                           kind == OrderKind::recover;
        const auto asked = IssuerWorld::order_for(platform_, 0x100, kind, account_of("shop"),
                                                  !moves  ? 0
                                                  : gives ? -1
                                                          : 1,
                                                  other, 1);
        check(platform_.execute(asked));
        check(platform_.execute(asked));
        check(platform_.declare_lost(id_of<tallycard::CardId>(1u + input_.byte() % 3u)));
        IssuerWorld::clock() += std::chrono::days(40);
        check(platform_.close_gaps());
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
