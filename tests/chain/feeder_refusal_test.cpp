// SPDX-License-Identifier: Apache-2.0
// What is wrong on a chain, and what is refused there.
#include "chain_world.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("another chain, another contract, another issuer: a clear error, and nothing is lost")
{
    ChainWorld world;
    world.settle(1);
    const auto refused = [&] {
        auto feeder = world.feeder();
        const auto error = feeder.step().error();
        REQUIRE(error.code == Errc::chain_foreign);
        REQUIRE(world.standing().outbox.empty());
        return std::string(error.where);
    };
    const auto right = world.settings.name;
    world.settings.name.chain_id = 1;
    REQUIRE(refused() == "chain id");
    world.settings.name = right;
    world.settings.name.contract = world.accounts[2];
    REQUIRE(refused() == "contract: there is none at the address");
    world.control("anvil_setCode",
                  {evm::to_data(world.accounts[2].bytes()), "0x600160005260206000f3"});
    REQUIRE(refused() == "contract at the address");
    world.settings.name.contract =
        evm::send_and_wait(world.node, world.administration(), std::nullopt,
                           evm::abi::creation(id_of<PublicKey>(9)))
            .value()
            .receipt.value()
            .created.value();
    REQUIRE(refused() == "issuer of the contract");
    world.settings.name = right;
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    world.require_all_on_chain();
}

TEST_CASE("a transaction that runs out of gas fails, and its entries go with another one")
{
    ChainWorld world;
    world.settings.depth = 1;
    world.settle(2);
    int lies = 0;
    world.transport.method = "eth_estimateGas";
    world.transport.after = [&](const std::string&) -> std::optional<Result<std::string>> {
        if (++lies > 1) return std::nullopt;
        return Result<std::string>(R"({"jsonrpc":"2.0","id":)" +
                                   std::to_string(world.transport.last_id) +
                                   R"(,"result":"0xafc8"})");
    };
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    REQUIRE(world.events == Events{"sent 0+2", "failed 0+2", "sent 0+2", "included 0+2"});
    world.require_all_on_chain();
    world.mine();
    REQUIRE(feeder.step().value().final_entries == 2);
    REQUIRE(world.standing().outbox.empty());
}

TEST_CASE("what is too much for one transaction, or for a block, goes in several")
{
    ChainWorld world;
    world.settings.mode = evm::ChainMode::full;
    world.settings.batch = 300;
    world.settings.most_gas = 20'000'000;
    world.settle(300);
    auto feeder = world.feeder();
    world.step_until_included(feeder);
    // 300 entries in full are 150 KiB.
    REQUIRE(world.events.front() == "sent 0+150");
    REQUIRE(std::ranges::count(world.events, "sent 150+150") == 1);
    world.require_all_on_chain();

    world.control("evm_setBlockGasLimit", evm::Json::array({"0x100000"}));
    world.events.clear();
    world.settle(64);
    world.step_until_included(feeder);
    REQUIRE(world.events.front() == "sent 300+16");
    world.require_all_on_chain();
}

TEST_CASE("an account that may not write is named before anything is signed")
{
    ChainWorld world;
    world.settings.account = world.accounts[1];
    world.settle(1);
    auto feeder = world.feeder();
    REQUIRE(feeder.step().error().code == Errc::chain_refused);
    REQUIRE(world.node.said().find("NotWriter") != std::string::npos);
    REQUIRE(world.standing().outbox.empty());
    evm::send_and_wait(world.node, world.administration(), world.settings.name.contract,
                       evm::abi::set_writer(world.accounts[1], true))
        .value();
    world.step_until_included(feeder);
    world.require_all_on_chain();
}

TEST_CASE("a nonce that another transaction has used up frees its entries for another one")
{
    ChainWorld world;
    world.control("evm_setAutomine", {false});
    world.settle(1);
    auto feeder = world.feeder();
    feeder.step().value();
    world.control("anvil_dropTransaction",
                  evm::Json::array({evm::to_data(world.standing().outbox.at(0).hash.bytes())}));
    const auto account = evm::to_data(world.accounts[0].bytes());
    world.control("eth_sendTransaction",
                  evm::Json::array({{{"from", account}, {"to", account}, {"value", "0x1"}}}));
    world.mine();
    feeder.step().value();
    world.mine();
    feeder.step().value();
    REQUIRE(world.events ==
            Events{"sent 0+1", "replaced 0+1", "sent 0+1", "included 0+1", "final 0+1"});
    world.require_all_on_chain();
}

TEST_CASE("a receipt without status 1 or without the event counts for nothing: the contract does")
{
    ChainWorld world;
    const std::string from = GENERATE("\"status\":\"0x1\"", "\"logs\":[{");
    const std::string to = from.starts_with("\"s") ? "\"status\":\"0x0\"" : "\"logs\":[],\"x\":[{";
    world.settle(1);
    int changed = 0;
    world.transport.method = "eth_getTransactionReceipt";
    world.transport.after = [&](const std::string& text) -> std::optional<Result<std::string>> {
        auto other = text;
        const auto at = other.find(from);
        if (at == std::string::npos) return std::nullopt;
        ++changed;
        return Result<std::string>(other.replace(at, from.size(), to));
    };
    auto feeder = world.feeder();
    world.step_until(feeder, [&] { return world.last.final_entries == 1; });
    REQUIRE(changed > 0);
    REQUIRE(world.events == Events{"sent 0+1", "failed 0+1", "final 0+1"});
    world.require_all_on_chain();
}

TEST_CASE("three transactions that fail in a row are the last, until somebody has looked")
{
    ChainWorld world;
    world.settle(1);
    world.settings.most_gas = 45'000;
    world.transport.method = "eth_estimateGas";
    world.transport.after = [&](const std::string&) -> std::optional<Result<std::string>> {
        return Result<std::string>(R"({"jsonrpc":"2.0","id":)" +
                                   std::to_string(world.transport.last_id) +
                                   R"(,"result":"0xafc8"})");
    };
    auto feeder = world.feeder();
    testing::wait_until("it gives up", [&] {
        const auto report = feeder.step();
        return !report && report.error().code == Errc::chain_refused;
    });
    REQUIRE(std::ranges::count(world.events, "sent 0+1") == 3);
    for (int i = 0; i < 3; ++i)
        REQUIRE(feeder.step().error().where == std::string("three transactions failed in a row"));
    world.transport.after = {};
    world.settings.most_gas = 1'000'000;
    auto again = world.feeder();
    world.step_until_included(again);
    world.require_all_on_chain();
}

TEST_CASE("a signer that signs something else is refused, and nothing of it is stored")
{
    ChainWorld world;
    world.settle(1);
    world.transport.method = "eth_signTransaction";
    world.transport.before = [&](const std::string& text) -> std::optional<Result<std::string>> {
        if (!world.transport.is_asked(text)) return std::nullopt;
        // The same transaction, with twice the price.
        auto request = evm::Json::parse(text);
        auto& price = request["params"][0]["gasPrice"];
        price = evm::quantity(2 * evm::parse_quantity(price.get<std::string>()).value());
        return evm::open_transport({.url = world.anvil.url()}).value()->post(request.dump());
    };
    auto feeder = world.feeder();
    const auto error = feeder.step().error();
    REQUIRE(error.code == Errc::chain_refused);
    REQUIRE(error.where == std::string("signer signed something else"));
    REQUIRE(world.standing().outbox.empty());
}
