// SPDX-License-Identifier: Apache-2.0
#include "chain_world.hpp"

using namespace tallycard;
using namespace tallycard::test;
using evm::ChainMode;

TEST_CASE("every entry that is made comes onto the chain, once, and is final when its block is")
{
    ChainWorld world;
    world.settings.depth = 2;
    world.settings.batch = 2;
    world.settings.mode = GENERATE(ChainMode::hash, ChainMode::full);
    world.settle(3);
    auto feeder = world.feeder();
    REQUIRE(feeder.step().value().entries == 3);
    REQUIRE(world.standing().outbox.size() == 1);
    world.step_until_included(feeder);
    REQUIRE(world.standing().final_entries < 3);
    world.mine(2);
    REQUIRE(feeder.step().value().final_entries == 3);
    REQUIRE(world.standing().outbox.empty());
    REQUIRE(world.events == std::vector<std::string>{"sent 0+2", "included 0+2", "sent 2+1",
                                                     "included 2+1", "final 0+3"});
    world.require_all_on_chain();
    const auto logs =
        world.node.logs(world.settings.name.contract, evm::abi::recorded_topic(), 0, 100).value();
    REQUIRE(logs.size() == 3);
    for (std::uint64_t i = 0; i < 3; ++i) {
        const auto body = evm::abi::read_body(logs[i].data).value();
        const auto bytes = world.issuer->entry(i).value().value().encode();
        REQUIRE(logs[i].topics[1] == evm::abi::word_of(i));
        if (world.settings.mode == ChainMode::full) {
            REQUIRE(to_hex(body) == to_hex(bytes));
        } else {
            REQUIRE(body.empty());
        }
    }
}

TEST_CASE("checkpoints come onto the chain by number of entries, each continuing the one before")
{
    ChainWorld world;
    world.settings.mode = ChainMode::checkpoint;
    world.settings.every_entries = 3;
    auto feeder = world.feeder();
    world.settle(2);
    feeder.step().value();
    REQUIRE(world.events.empty());
    world.settle(1);
    world.step_until(feeder, [&] { return world.last.final_entries == 3; });
    REQUIRE(world.head().anchor == world.issuer->ledger_head().value());
    world.settle(4);
    world.step_until(feeder, [&] { return world.last.final_entries == 7; });
    REQUIRE(world.head().anchor.size == 7);
    REQUIRE(world.events == std::vector<std::string>{"sent 0+3", "included 0+3", "final 0+3",
                                                     "sent 3+4", "included 3+4", "final 3+4"});
    REQUIRE(world.head().length == 0);
}

TEST_CASE("a checkpoint comes onto the chain when its first entry has waited long enough")
{
    ChainWorld world;
    world.settings.mode = ChainMode::checkpoint;
    world.settings.every = std::chrono::seconds(0);
    world.settle(1);
    auto feeder = world.feeder();
    feeder.step().value();
    REQUIRE(world.events == std::vector<std::string>{"sent 0+1"});
}

TEST_CASE("nothing new is signed while a transaction waits for a block, and nothing is sent twice")
{
    ChainWorld world;
    world.control("evm_setAutomine", {false});
    world.settings.batch = 1;
    world.settle(2);
    auto feeder = world.feeder();
    for (int i = 0; i < 3; ++i) REQUIRE(feeder.step().value().in_blocks == 0);
    REQUIRE(world.events == std::vector<std::string>{"sent 0+1"});
    world.mine();
    for (int i = 0; i < 3; ++i) feeder.step().value();
    world.mine();
    feeder.step().value();
    world.require_all_on_chain();
    REQUIRE(world.standing().final_entries == 2);
}

TEST_CASE("a platform that settles while the node is away loses nothing")
{
    ChainWorld world;
    world.anvil.stop(SIGKILL);
    auto feeder = world.feeder();
    world.settle(2);
    REQUIRE(feeder.step().error().code == Errc::chain_unreachable);
    world.settle(1);
    REQUIRE(world.issuer->ledger_head().value().size == 3);
    REQUIRE(world.standing().final_entries == 0);
}

TEST_CASE("final is what the node calls finalized, where no depth is set")
{
    ChainWorld world;
    world.settings.depth.reset();
    world.settle(1);
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    world.mine(10);
    feeder.step().value();
    REQUIRE(world.standing().final_entries == 0);
    world.mine(100);
    feeder.step().value();
    REQUIRE(world.standing().final_entries == 1);
}

TEST_CASE("two processes that write the same ledger put each entry there once")
{
    ChainWorld world;
    world.settings.batch = 1;
    world.settle(4);
    auto one = world.feeder(), other = world.feeder();
    testing::wait_until("all of it is final", [&] {
        for (auto* feeder : {&one, &other}) {
            const auto report = feeder->step();
            if (!report) {
                const auto code = report.error().code;
                REQUIRE((code == Errc::chain_failed || code == Errc::conflict));
            }
        }
        return world.standing().final_entries == 4;
    });
    world.require_all_on_chain();
    const auto logs =
        world.node.logs(world.settings.name.contract, evm::abi::recorded_topic(), 0, 100).value();
    REQUIRE(logs.size() == 4);
}

TEST_CASE("while a transaction waits for a block no other process stores one")
{
    ChainWorld world;
    world.settle(1);
    auto feeder = world.feeder();
    feeder.step().value();
    const auto& name = world.settings.name;
    const auto before = world.issuer->chain(name).value();
    REQUIRE(before.outbox.size() == 1);
    auto other = before.outbox.front();
    ++other.nonce;
    REQUIRE(world.issuer->update_chain(name, {.sent = other}).error().code == Errc::conflict);
    REQUIRE(world.issuer->chain(name).value().outbox == before.outbox);
}
