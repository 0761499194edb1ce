// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <tallycard/store_copy.hpp>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

const ChainName chain{.chain_id = 31337, .contract = id_of<ChainAddress>(7)};
const OutboxRow on_its_way{.nonce = 5,
                           .kind = OutboxKind::record,
                           .state = OutboxState::sent,
                           .first = 3,
                           .entries = 4,
                           .hash = id_of<Digest>(9),
                           .raw = {0xF8, 0x01, 0x00}};

// A card that is lost: a result of it never came, and its value was recovered.
void make_gap(TestIssuer& issuer)
{
    auto lost = issuer.make_card();
    issuer.run(lost, Kind::top_up, 100);
    (void)lost.pay(1, "shop");
    REQUIRE(!issuer.settle(lost.pay(1, "shop")).value().settled);
    issuer->declare_lost(lost.id()).value();
    issuer.clock += std::chrono::days(30);
    issuer.execute(OrderKind::recover, "shop", 98, lost.id().to_string().c_str()).value();
}

// An issuer with a row of every kind.
void fill(TestIssuer& issuer)
{
    auto card = issuer.make_card(), other = issuer.make_card(), third = issuer.make_card();
    for (auto* one : {&card, &other, &third}) issuer.run(*one, Kind::top_up, 5000, {});
    issuer.open_account(account_id("shop")).value();
    issuer.transfer(card, Kind::transfer_out, -50, "shop");
    issuer.settle(card.pay(30, "shop")).value();
    auto refund = issuer.transfer_request(card.request(Kind::transfer_in, 20, "shop"));
    refund.refunds = PaymentName{card.id(), 3};
    const auto given_back = issuer->authorise_transfer(refund).value().first;
    issuer.settle(submission(card.execute(given_back))).value();
    make_gap(issuer);
    issuer.run(card, Kind::block);
    issuer.run(card, Kind::unblock);
    for (int i = 0; i < 20; ++i) issuer.settle(third.pay(1, "shop")).value();
    auto clone = other;
    issuer.settle(other.pay(2, "shop")).value();
    REQUIRE(!issuer.settle(clone.pay(3, "shop")));
    (void)third.pay(1, "shop");
    for (int i = 0; i < 3; ++i) REQUIRE(!issuer.settle(third.pay(1, "shop")).value().settled);
    issuer.authorise(card, Kind::top_up, 7).value();
    issuer->void_pending(card.id()).value();
    issuer->checkpoint(issuer.checkpoint_key()).value();
    issuer->update_chain(chain, {.sent = on_its_way, .final_entries = 3}).value();
}

}  // namespace

TEST_CASE("a store is copied there and back, and nothing has changed")
{
    TestIssuer issuer;
    fill(issuer);
    const auto head = issuer->ledger_head().value();
    issuer.close();
    const auto original = issuer.store().open().value();
    const auto file = create_sqlite_store(issuer.folder().file("copy")).value();
    const TestStore place(issuer.folder().file("back"));
    const auto back = place.create().value();

    const auto there = copy_store(*original, *file).value();
    REQUIRE(there.head == head);
    REQUIRE(there.cards == 4);
    REQUIRE(there.operations == 10);
    REQUIRE(there.kept == 3);
    REQUIRE(there.evidence == 1);
    REQUIRE(copy_store(*file, *back).value() == there);
    REQUIRE(back->read().value()->issued().value() == original->read().value()->issued().value());
    REQUIRE(back->read().value()->checkpoint().value() ==
            original->read().value()->checkpoint().value());

    // And it goes on: the copy knows whose it is, what is pending, and what comes next.
    const auto platform = issuer.open(place.open().value()).value();
    REQUIRE(platform->ledger_head().value() == head);
    REQUIRE(platform->chain(chain).value().final_entries == 3);
    REQUIRE(platform->chain(chain).value().outbox == std::vector{on_its_way});
    REQUIRE(platform->pending().value().size() == 2);
    REQUIRE(platform->deny(id_of<CardId>(1)));
    REQUIRE(summarise(*place.open().value()->read().value()).value().rows != there.rows);
}

TEST_CASE("a store is not copied into one that is another's, nor one that is damaged")
{
    TestIssuer issuer, other;
    fill(issuer);
    issuer.close();
    other.close();
    const auto from = issuer.store().open().value(), to = other.store().open().value();
    REQUIRE(copy_store(*from, *to).error().code == Errc::conflict);

    const auto empty = create_sqlite_store(issuer.folder().file("copy")).value();
    issuer.store().run(
        "UPDATE nodes SET hash = (SELECT hash FROM nodes WHERE level = 0 AND idx = 0) "
        "WHERE level = (SELECT max(level) FROM nodes)");
    REQUIRE(copy_store(*from, *empty).error().code == Errc::file_damaged);
    REQUIRE(!empty->read().value()->issuer().value());
}

TEST_CASE("what is under way to a chain is kept by its nonce, which is used once")
{
    TestIssuer issuer;
    const ChainName name{.chain_id = 1, .contract = id_of<ChainAddress>(1)};
    const ChainName other{.chain_id = 1, .contract = id_of<ChainAddress>(2)};
    OutboxRow row{.nonce = 4,
                  .kind = OutboxKind::anchor,
                  .state = OutboxState::sent,
                  .first = 0,
                  .entries = 2,
                  .hash = id_of<Digest>(1),
                  .raw = {1, 2, 3}};
    REQUIRE(issuer->chain(name).value().outbox.empty());
    REQUIRE(issuer->update_chain(name, {.sent = row}));
    REQUIRE(issuer->update_chain(name, {.sent = row}).error().code == Errc::conflict);
    REQUIRE(issuer->update_chain(other, {.sent = row}));
    issuer.reopen();
    REQUIRE(issuer->chain(name).value().outbox == std::vector{row});

    row.state = OutboxState::included;
    row.block = 17;
    REQUIRE(issuer->update_chain(name, {.changed = {row}}));
    REQUIRE(issuer->chain(name).value().outbox == std::vector{row});
    // All of a change, or nothing.
    auto missing = row;
    missing.nonce = 5;
    const ChainChange half{.changed = {missing}, .dropped = {4}, .final_entries = 2};
    REQUIRE(issuer->update_chain(name, half).error().code == Errc::conflict);
    REQUIRE(issuer->chain(name).value().outbox == std::vector{row});
    REQUIRE(issuer->update_chain(name, {.dropped = {4}, .final_entries = 2}));
    REQUIRE(issuer->chain(name).value().outbox.empty());
    REQUIRE(issuer->chain(name).value().final_entries == 2);
    REQUIRE(issuer->chain(other).value().final_entries == 0);
    REQUIRE(issuer->chain(other).value().outbox.size() == 1);
}
