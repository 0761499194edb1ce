// SPDX-License-Identifier: Apache-2.0
// What a node, a network and a chain do to the feeder.
#include "chain_world.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

const Error lost{
    .code = Errc::chain_unreachable, .effect = Effect::unknown, .where = "answer of the node"};

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("a time-out is no failure: what arrived is found, and what did not is sent again")
{
    ChainWorld world;
    const bool arrives = GENERATE(true, false);
    world.settle(1);
    auto feeder = world.feeder();
    int losses = 0;
    const auto lose = [&](const std::string& text) -> std::optional<Result<std::string>> {
        if (!world.transport.is_asked(text) && !arrives) return std::nullopt;
        ++losses;
        return Result<std::string>(lost);
    };
    world.transport.method = "eth_sendRawTransaction";
    (arrives ? world.transport.after : world.transport.before) = lose;
    REQUIRE(feeder.step().error().code == Errc::chain_unreachable);
    REQUIRE(losses == 1);
    const auto raw = world.standing().outbox.at(0).raw;
    world.transport.after = world.transport.before = {};
    world.step_until(feeder, [&] { return world.last.final_entries == 1; });
    REQUIRE(world.events == Events{"sent 0+1", "included 0+1", "final 0+1"});
    world.require_all_on_chain();
}

TEST_CASE("a process that dies between storing and sending sends the same bytes when it is back")
{
    ChainWorld world;
    world.settle(2);
    world.transport.method = "eth_sendRawTransaction";
    world.transport.before = [&](const std::string& text) -> std::optional<Result<std::string>> {
        if (!world.transport.is_asked(text)) return std::nullopt;
        return Result<std::string>(lost);
    };
    {
        auto feeder = world.feeder();
        REQUIRE(!feeder.step());
    }
    const auto stored = world.standing().outbox.at(0);
    std::vector<std::string> sent;
    world.transport.before = [&](const std::string& text) -> std::optional<Result<std::string>> {
        if (world.transport.is_asked(text)) sent.push_back(text);
        return std::nullopt;
    };
    world.issuer.reopen();
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    REQUIRE(sent.size() == 1);
    REQUIRE(sent[0].find(to_hex(stored.raw)) != std::string::npos);
    world.require_all_on_chain();
}

TEST_CASE("what the node has already counts as sent")
{
    ChainWorld world;
    world.control("evm_setAutomine", {false});
    world.settle(1);
    auto feeder = world.feeder();
    feeder.step().value();
    const auto raw = world.standing().outbox.at(0).raw;
    REQUIRE(world.node.send(raw).value() == evm::Sending::taken);
    world.mine();
    REQUIRE(world.node.send(raw).value() == evm::Sending::stale);
    feeder.step().value();
    world.require_all_on_chain();
}

TEST_CASE("a block that a reorganisation takes back takes its transaction back to sent")
{
    ChainWorld world;
    world.settings.depth = 3;
    world.settle(2);
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    const auto hash = world.standing().outbox.at(0).hash;
    world.control("evm_setAutomine", {false});
    world.control("anvil_reorg", {1, evm::Json::array()});
    REQUIRE(world.head().length == 0);
    feeder.step().value();
    REQUIRE(world.standing().outbox.at(0).state == OutboxState::sent);
    REQUIRE(world.standing().outbox.at(0).hash == hash);
    world.mine();
    feeder.step().value();
    REQUIRE(world.standing().outbox.at(0).state == OutboxState::included);
    world.mine(3);
    REQUIRE(feeder.step().value().final_entries == 2);
    REQUIRE(world.events ==
            Events{"sent 0+2", "included 0+2", "vanished 0+2", "included 0+2", "final 0+2"});
    world.require_all_on_chain();
}

TEST_CASE("a chain that is put back loses nothing that was not final")
{
    ChainWorld world;
    world.settings.depth = 5;
    world.settings.batch = 1;
    const auto snapshot = world.control("evm_snapshot");
    world.settle(3);
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    REQUIRE(world.standing().outbox.size() == 3);
    REQUIRE(world.control("evm_revert", evm::Json::array({snapshot})) == true);
    REQUIRE(world.head().length == 0);
    world.step_until_included(feeder);
    REQUIRE(world.standing().outbox.size() == 3);
    world.require_all_on_chain();
    world.mine(5);
    REQUIRE(feeder.step().value().final_entries == 3);
}

TEST_CASE("a node that is killed with a transaction in its memory is given it again")
{
    ChainWorld world;
    world.settle(1);
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    const auto state = world.control("anvil_dumpState");
    world.control("evm_setAutomine", {false});
    world.settle(1);
    feeder.step().value();
    const auto stored = world.standing().outbox.back();
    world.anvil.stop(SIGKILL);
    for (int i = 0; i < 2; ++i) REQUIRE(feeder.step().error().code == Errc::chain_unreachable);
    world.settle(1);
    world.anvil.start();
    world.control("anvil_loadState", evm::Json::array({state}));
    world.step_until_included(feeder);
    REQUIRE(world.issuer->ledger_head().value().size == 3);
    REQUIRE(world.node.receipt(stored.hash).value().value().success);
    world.require_all_on_chain();
}

TEST_CASE("a chain that has lost what was final is named, and nothing is sent to it")
{
    ChainWorld world;
    const auto snapshot = world.control("evm_snapshot");
    world.settle(1);
    auto feeder = world.feeder();
    world.step_until(feeder, [&] { return world.last.final_entries == 1; });
    world.control("evm_revert", evm::Json::array({snapshot}));
    world.settle(1);
    const auto error = feeder.step().error();
    REQUIRE(error.code == Errc::chain_conflict);
    REQUIRE(error.where == std::string("what was final is gone"));
    REQUIRE(world.head().length == 0);
}

TEST_CASE("a node that lags behind the one that was asked before has lost nothing")
{
    ChainWorld world;
    world.settle(1);
    auto feeder = world.feeder();
    world.step_until(feeder, [&] { return world.last.final_entries == 1; });
    const std::string number = GENERATE("0x0", "0x1");  // before the contract, and before the entry
    world.transport.method = "eth_blockNumber";
    world.transport.after = [&](const std::string&) -> std::optional<Result<std::string>> {
        return Result<std::string>(R"({"jsonrpc":"2.0","id":)" +
                                   std::to_string(world.transport.last_id) + R"(,"result":")" +
                                   number + R"("})");
    };
    REQUIRE(feeder.step().value().final_entries == 1);
    world.settle(1);
    world.step_until_included(feeder);
    world.transport.after = {};
    world.step_until(feeder, [&] { return world.last.final_entries == 2; });
    world.require_all_on_chain();
}
