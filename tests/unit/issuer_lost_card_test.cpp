// SPDX-License-Identifier: Apache-2.0
// docs/accounts.md, section 5.
#include <catch2/catch.hpp>

#include <string>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

constexpr auto quarantine = std::chrono::days(30);  // of TestIssuer

// An issuer whose SHOP has 10.00, and a card with 50.00 that spends 15.00 offline at most.
class World : public TestIssuer {
public:
    World()
    {
        limits.offline_total = Balance::minor_units(1500);
        open_account(account_id("SHOP")).value();
        execute(OrderKind::pay_in, "SHOP", 1000, "bank").value();
        card.emplace(make_card());
        run(*card, Kind::top_up, 5000);
    }
    std::string id() const { return card->id().to_string(); }
    std::string holder() const { return std::string(holder_account(card->id()).text()); }
    Recoverable recoverable() { return (*this)->recoverable(card->id()).value(); }
    Result<ExecutedOrder> recover(std::int64_t amount, const char* to = "SHOP")
    {
        return execute(OrderKind::recover, to, amount, id().c_str());
    }
    std::int64_t shop() { return balance(AccountKind::associated, "SHOP"); }
    LedgerReport right_audit()
    {
        CHECK(sum_of_books() == 0);
        auto report = audit();
        if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
        REQUIRE(!report.fault);
        return report;
    }
    std::optional<SimulatedCard> card;
};

Errc code_of(const Result<ExecutedOrder>& answer)
{
    REQUIRE(!answer);
    return answer.error().code;
}

}  // namespace

TEST_CASE("a card that is declared lost is denied, and its quarantine begins", "[lost]")
{
    World world;
    CHECK(world->declare_lost(id_of<CardId>(77)).error().code == Errc::unknown_card);
    const auto lost = world.clock;
    world->declare_lost(world.card->id()).value();
    world.clock += std::chrono::days(2);
    world->declare_lost(world.card->id()).value();  // and does not begin again
    CHECK(world->standing(world.card->id(), std::nullopt)->denied);
    CHECK(world.authorise(*world.card, Kind::top_up, 1).error().code == Errc::card_denied);
    CHECK(world->card(world.card->id()).value()->lost_since == lost);
    const auto found = world.recoverable();
    CHECK(found.book == 5000);
    CHECK(found.kept == 0);
    CHECK(found.held_back == 1500);
    CHECK(found.free == 3500);
    CHECK(found.held_until == lost + quarantine);
    CHECK(world.right_audit().denied == std::vector{world.card->id()});
}

TEST_CASE("what a card has spent offline is not held back a second time", "[lost]")
{
    World world;
    world.settle(world.card->pay(400, "SHOP")).value();
    world->declare_lost(world.card->id()).value();
    CHECK(world.recoverable().held_back == 1100);
    CHECK(world.recoverable().free == 3500);
    // It goes on spending.
    world.settle(world.card->pay(1000, "SHOP")).value();
    CHECK(world.recoverable().book == 3600);
    CHECK(world.recoverable().held_back == 100);
    CHECK(world.recoverable().free == 3500);
}

TEST_CASE("nothing is held back of a card that cannot spend", "[lost]")
{
    World world;
    world.run(*world.card, Kind::block);
    world->declare_lost(world.card->id()).value();
    CHECK(world.recoverable().held_back == 0);
    CHECK(world.recoverable().free == 5000);
    CHECK(world.recoverable().held_until == Time{});
    CHECK(world.recover(5000));
    CHECK(world.right_audit().recovered == 5000);
}

TEST_CASE("I22: a lost card's value is recovered, all of it when the quarantine has ended",
          "[lost]")
{
    World world;
    CHECK(code_of(world.recover(1)) == Errc::card_state);  // it is not denied
    world->declare_lost(world.card->id()).value();
    CHECK(code_of(world.recover(3501)) == Errc::insufficient_funds);
    world.recover(3000).value();
    CHECK(world.shop() == 4000);
    CHECK(code_of(world.recover(501)) == Errc::insufficient_funds);
    world.recover(500).value();
    CHECK(code_of(world.recover(1)) == Errc::insufficient_funds);
    world.clock += quarantine - std::chrono::milliseconds(1);
    CHECK(code_of(world.recover(1)) == Errc::insufficient_funds);
    world.clock += std::chrono::milliseconds(1);
    CHECK(world.recoverable().free == 1500);
    CHECK(code_of(world.recover(1501)) == Errc::insufficient_funds);
    world.recover(1500).value();
    CHECK(code_of(world.recover(1)) == Errc::insufficient_funds);
    CHECK(world.shop() == 6000);

    const auto report = world.right_audit();
    CHECK(report.recovered == 5000);
    CHECK(report.on_cards == 5000);
    CHECK(report.losses.empty());
    CHECK(report.without_the_owner.size() == 3);
}

TEST_CASE("I22: what comes after a recovery still settles, and is a loss that audits list",
          "[lost]")
{
    World world;
    const auto late = world.card->pay(1200, "SHOP");
    world->declare_lost(world.card->id()).value();
    world.clock += quarantine;
    world.recover(5000).value();
    world.reopen();

    CHECK(world.settle(late).value().settled);
    CHECK(world.shop() == 7200);
    CHECK(world.recoverable().book == 0);
    const auto report = world.right_audit();
    CHECK(report.losses.at(world.card->id()) == 1200);
    CHECK(report.losses.size() == 1);
}

TEST_CASE("of a recovered card follow payments, voids and terminate, and what was pending",
          "[lost]")
{
    World world;
    const auto pending = world.authorise(*world.card, Kind::top_up, 100).value().first;
    world->declare_lost(world.card->id()).value();
    world.recover(10).value();
    CHECK(world->settle(submission(world.card->execute(pending))).value().settled);

    SECTION("a payment, and one that ends it")
    {
        CHECK(world.settle(world.card->pay(7, "SHOP")).value().settled);
        const auto end = world.authorise(*world.card, Kind::terminate).value().first;
        CHECK(world->settle(submission(world.card->execute(end))).value().settled);
        CHECK(world->standing(world.card->id(), std::nullopt)->state == CardState::terminated);
        world.clock += quarantine;
        CHECK(world.recover(world.recoverable().free));
        CHECK(world.recoverable().book == 0);
    }
    SECTION("not another top-up, whoever has signed it")
    {
        const auto operation = world.card->make(Kind::top_up, 9, "T1");
        const auto signature = SoftwareOperationSigner(seed(1)).sign(operation).value();
        const auto receipt = world.card->execute(operation);
        CHECK(world->settle(submission(receipt, ExecutedOperation{operation, signature}))
                  .error()
                  .code == Errc::card_state);
        CHECK(world->evidence().value().empty());
    }
    for (const auto kind : {Kind::top_up, Kind::block, Kind::set_limits})
        CHECK(!world.authorise(*world.card, kind, kind == Kind::top_up ? 1 : 0));
    world.right_audit();
}

TEST_CASE("payments that are kept are proven to have been spent", "[lost]")
{
    World world;
    // They wait for a top-up whose result is lost: a credit is missing, so that there is no gap.
    const auto top_up = world.authorise(*world.card, Kind::top_up, 2000).value().first;
    const auto missing = world.card->execute(top_up);
    const auto waiting = world.card->pay(700, "SHOP");
    CHECK(!world.settle(waiting).value().settled);
    world->declare_lost(world.card->id()).value();
    CHECK(world->gaps(world.card->id()).value().empty());
    const auto found = world.recoverable();
    CHECK(found.book == 5000);
    CHECK(found.kept == 700);
    CHECK(found.held_back == 1500);
    CHECK(found.free == 2800);
    world.clock += quarantine;
    CHECK(code_of(world.recover(4301)) == Errc::insufficient_funds);
    world.recover(4300).value();

    // The issuer may pay their payees meanwhile; when the result comes, all is as it would be.
    CHECK(world->settle(submission(missing)).value().settled);
    CHECK(world->standing(world.card->id(), std::nullopt)->settled == 3);
    CHECK(world.recoverable().book == 2000);
    CHECK(world.right_audit().losses.empty());
}

TEST_CASE("a lost card's value may go to another card's holder account", "[lost]")
{
    World world;
    auto next = world.make_card();
    const std::string to(holder_account(next.id()).text());
    world.transfer(*world.card, Kind::transfer_out, -2000, world.holder().c_str());
    CHECK(code_of(world.execute(OrderKind::recover_holder, to.c_str(), 1, world.id().c_str())) ==
          Errc::card_state);
    world->declare_lost(world.card->id()).value();
    CHECK(code_of(world.execute(OrderKind::recover_holder, to.c_str(), 2001, world.id().c_str())) ==
          Errc::insufficient_funds);
    world.execute(OrderKind::recover_holder, to.c_str(), 2000, world.id().c_str()).value();
    world.recover(1500, to.c_str()).value();
    CHECK(world.balance(AccountKind::associated, world.holder().c_str()) == 0);
    CHECK(world.balance(AccountKind::associated, to.c_str()) == 3500);
    CHECK(world.transfer(next, Kind::transfer_in, 3500, to.c_str()).settled);
    CHECK(world.right_audit().recovered == 1500);
}

TEST_CASE("a write-off ends the reservation, once, and only of what is pending", "[lost]")
{
    World world;
    const auto write_off = [&](const char* account) {
        return world.execute(OrderKind::write_off, account, 0, world.id().c_str());
    };
    world.open_account(account_id("OTHER")).value();
    const auto first =
        world.transfer_status(*world.card, Kind::transfer_in, 400, "SHOP").value().first;
    CHECK(code_of(write_off("SHOP")) == Errc::card_state);  // it is not denied
    world->declare_lost(world.card->id()).value();
    CHECK(code_of(write_off("OTHER")) == Errc::unknown_operation);
    CHECK(world.reserved(AccountKind::associated, "SHOP") == 400);
    write_off("SHOP").value();
    CHECK(world.reserved(AccountKind::associated, "SHOP") == 0);
    CHECK(code_of(write_off("SHOP")) == Errc::card_state);
    CHECK(world.execute(OrderKind::pay_out, "SHOP", -1000, "bank"));
    CHECK(world.right_audit().written_off.empty());

    SECTION("its result comes after all: it is the issuer's loss")
    {
        CHECK(world->settle(submission(world.card->execute(first))).value().settled);
        CHECK(world.shop() == 0);
        CHECK(world.balance(AccountKind::outside, "losses") == -400);
        CHECK(world->standing(world.card->id(), std::nullopt)->balance ==
              Balance::minor_units(5400));
        const auto report = world.right_audit();
        REQUIRE(report.written_off.size() == 1);
        CHECK(report.written_off[0].account == account_id("SHOP"));
        CHECK(report.written_off[0].card == world.card->id());
        CHECK(report.written_off[0].amount == 400);
    }
    SECTION("a void comes: nobody has lost anything")
    {
        const auto cancel = world->void_pending(world.card->id()).value();
        CHECK(world->settle(submission(world.card->execute(cancel))).value().settled);
        CHECK(world.reserved(AccountKind::associated, "SHOP") == 0);
        CHECK(world.right_audit().written_off.empty());
    }
    SECTION("a payment comes in its place")
    {
        CHECK(world.settle(world.card->pay(3, "SHOP")).value().settled);
        CHECK(world.reserved(AccountKind::associated, "SHOP") == 0);
        CHECK(world.right_audit().written_off.empty());
    }
    SECTION("the account is closed, and it comes under the keys of the write-off")
    {
        world.execute(OrderKind::close, "SHOP").value();
        CHECK(world->settle(submission(world.card->execute(first))).value().settled);
        CHECK(world.right_audit().written_off.size() == 1);
    }
    CHECK(world->account_standing(account_id("SHOP"))->reserved == 0);
}

TEST_CASE("a transfer in from the card's own holder account is written off there", "[lost]")
{
    World world;
    const auto holder = world.holder();
    world.transfer(*world.card, Kind::transfer_out, -1000, holder.c_str());
    const auto first =
        world.transfer_status(*world.card, Kind::transfer_in, 900, holder.c_str()).value().first;
    world->declare_lost(world.card->id()).value();
    const auto all = [&] {
        return world.execute(OrderKind::recover_holder, "SHOP", 1000, world.id().c_str());
    };
    CHECK(code_of(all()) == Errc::insufficient_funds);
    world.execute(OrderKind::write_off, holder.c_str(), 0, world.id().c_str()).value();
    all().value();
    CHECK(world->settle(submission(world.card->execute(first))).value().settled);
    CHECK(world.balance(AccountKind::outside, "losses") == -900);
    CHECK(world.right_audit().written_off.size() == 1);
}

TEST_CASE("a card that turns up is taken back where nothing was recovered, and else is not",
          "[lost]")
{
    World world;
    world->declare_lost(world.card->id()).value();
    SECTION("nothing was")
    {
        world->undeny(world.card->id()).value();
        CHECK(!world->card(world.card->id()).value()->lost_since);
        CHECK(world.authorise(*world.card, Kind::top_up, 1));
        CHECK(world.right_audit().denied.empty());
        return;
    }
    SECTION("from its book")
    {
        world.recover(1).value();
    }
    SECTION("from its holder account")
    {
        world.execute(OrderKind::pay_in, world.holder().c_str(), 5, "bank").value();
        world.execute(OrderKind::recover_holder, "SHOP", 5, world.id().c_str()).value();
    }
    CHECK(world->undeny(world.card->id()).error().code == Errc::card_state);
    CHECK(world.authorise(*world.card, Kind::unblock).error().code == Errc::card_denied);
    const auto end = world.authorise(*world.card, Kind::terminate).value().first;
    CHECK(world->settle(submission(world.card->execute(end))).value().settled);
    CHECK(world.right_audit().denied.size() == 1);
}

TEST_CASE("the deny list has a line for each change, and a note on all of it", "[lost]")
{
    World world;
    auto other = world.make_card();
    world->deny(other.id()).value();
    world->deny(other.id()).value();  // changes nothing
    world->undeny(other.id()).value();
    world->declare_lost(world.card->id()).value();
    const auto all = world->deny_list(0, world.checkpoint_key()).value();
    REQUIRE(all.lines.size() == 3);
    CHECK(all.lines[0] == DenyListLine{other.id(), true});
    CHECK(all.lines[1] == DenyListLine{other.id(), false});
    CHECK(all.lines[2] == DenyListLine{world.card->id(), true});
    DenyList list;
    for (const auto& line : all.lines) CHECK(list.append(line));
    const auto key = world.checkpoint_key().public_key();
    const auto head = DenyListHead::open(all.note, "issuer.test", key).value();
    CHECK(list.matches(head));
    CHECK(head.time == world.clock);

    const auto behind = world->deny_list(2, world.checkpoint_key()).value();
    CHECK(behind.lines == std::vector{all.lines[2]});
    CHECK(behind.note == all.note);
    world.right_audit();
}
