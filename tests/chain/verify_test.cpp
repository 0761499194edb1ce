// SPDX-License-Identifier: Apache-2.0
#include "chain_world.hpp"
#include "evm/chain_verifier.hpp"

using namespace tallycard;
using namespace tallycard::test;
using evm::ChainMode;

namespace {

Result<evm::ChainReport> verify(ChainWorld& world)
{
    const auto path = world.issuer.folder().file("export");
    world.issuer->export_ledger(path, world.issuer.checkpoint_key()).value();
    const auto report = verify_ledger(path, world.issuer.description()).value();
    REQUIRE(!report.fault);
    evm::Contract contract(world.node, world.settings.name);
    return evm::verify_chain(world.node, contract, world.issuer.description().card_root, path,
                             report, 0);
}

// What the account that may write puts there, whatever the ledger says.
void put(ChainWorld& world, const evm::Bytes& call)
{
    const auto contract = world.settings.name.contract;
    const auto sent =
        evm::send_and_wait(world.node, world.administration(), contract, call).value();
    REQUIRE(sent.receipt.value().success);
}

evm::Bytes encoded(ChainWorld& world, std::uint64_t index)
{
    const auto entry = world.issuer->entry(index).value().value().encode();
    const std::span<const std::uint8_t> bytes = entry;
    return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("ledger and chain agree, in every mode, as far as the chain has come")
{
    ChainWorld world;
    world.settings.mode = GENERATE(ChainMode::full, ChainMode::hash, ChainMode::checkpoint);
    world.settings.every_entries = 2;
    world.settle(2);
    auto feeder = world.feeder();
    world.step_until(feeder, [&] { return world.last.final_entries == 2; });
    world.settle(2);
    world.step_until(feeder, [&] { return world.last.final_entries == 4; });
    world.settle(1);
    const auto report = verify(world).value();
    REQUIRE(!report.fault);
    const bool is_anchored = world.settings.mode == ChainMode::checkpoint;
    REQUIRE(report.leaves == (is_anchored ? 0 : 4));
    REQUIRE(report.bodies == (world.settings.mode == ChainMode::full ? 4 : 0));
    REQUIRE(report.anchors == (is_anchored ? 2 : 0));
    REQUIRE(report.anchored == (is_anchored ? 4 : 0));
}

TEST_CASE("orders and gaps come onto the chain in full as records do")
{
    ChainWorld world;
    world.settings.mode = ChainMode::full;
    world.settle(1);
    world.issuer.open_account(account_id("SHOP")).value();
    world.issuer.execute(OrderKind::pay_in, "SHOP", 500, "bank").value();
    world.card->pay(2, "SHOP");
    world.issuer.settle(world.card->pay(1, "SHOP")).value();
    world.issuer->deny(world.card->id()).value();
    REQUIRE(world.issuer->entry(3).value()->gap() != nullptr);
    auto feeder = world.feeder();
    world.step_until(feeder, [&] { return world.last.final_entries == 5; });
    const auto report = verify(world).value();
    REQUIRE(!report.fault);
    REQUIRE(report.leaves == 5);
    REQUIRE(report.bodies == 5);
}

TEST_CASE("a leaf on the chain that is another's is named by its number")
{
    ChainWorld world;
    world.settle(3);
    const std::vector<Digest> leaves{world.leaf(0), id_of<Digest>(7), world.leaf(2)};
    put(world, evm::abi::record(0, leaves, {}));
    REQUIRE(verify(world).value().fault == "entry 1 is another on the chain");
    auto feeder = world.feeder();
    REQUIRE(feeder.step().error().code == Errc::chain_conflict);
}

TEST_CASE("a root that the chain ever had, and was none of the ledger, is found")
{
    ChainWorld world;
    world.settle(3);
    const merkle::Head none{.size = 0, .root = merkle::Frontier().root()};
    const merkle::Head wrong{.size = 2, .root = id_of<Digest>(1)};
    put(world, evm::abi::anchor(none, wrong));
    put(world, evm::abi::anchor(wrong, world.issuer->ledger_head().value()));
    REQUIRE(verify(world).value().fault ==
            "the root that the chain has for 2 entries is not the ledger's");
}

TEST_CASE("a log without topics is no event of the contract")
{
    ChainWorld world;
    world.settle(1);
    const std::vector<Digest> leaves{world.leaf(0)};
    put(world, evm::abi::record(0, leaves, {}));
    int changed = 0;
    world.transport.method = "eth_getLogs";
    world.transport.after = [&](const std::string& text) -> std::optional<Result<std::string>> {
        const std::string_view name = "\"topics\":[";
        const auto begin = text.find(name);
        if (begin == std::string::npos) return std::nullopt;
        ++changed;
        auto other = text;
        const auto first = begin + name.size();
        return Result<std::string>(other.erase(first, other.find(']', first) - first));
    };
    REQUIRE(verify(world).error().code == Errc::chain_failed);
    REQUIRE(changed > 0);
}

TEST_CASE("an export that is older than an anchor is told from a fork")
{
    ChainWorld world;
    world.settings.mode = ChainMode::checkpoint;
    world.settings.every_entries = 1;
    world.settle(1);
    const auto path = world.issuer.folder().file("older");
    world.issuer->export_ledger(path, world.issuer.checkpoint_key()).value();
    const auto older = verify_ledger(path, world.issuer.description()).value();
    world.settle(1);
    auto feeder = world.feeder();
    world.step_until(feeder, [&] { return world.last.final_entries == 2; });
    evm::Contract contract(world.node, world.settings.name);
    const auto report = evm::verify_chain(world.node, contract,
                                          world.issuer.description().card_root, path, older, 0)
                            .value();
    REQUIRE(report.fault.value().ends_with("is this an older export?"));
}

TEST_CASE("a ledger that is behind the chain is found, and nothing is sent")
{
    ChainWorld world;
    world.settle(1);
    put(world, evm::abi::record(0, std::vector<Digest>{world.leaf(0), id_of<Digest>(1)}, {}));
    REQUIRE(verify(world).value().fault == "the chain has 2 entries: the ledger is behind it");
    auto feeder = world.feeder();
    REQUIRE(feeder.step().error().code == Errc::ledger_behind);
    REQUIRE(world.standing().outbox.empty());
}

TEST_CASE("the contract takes an entry once, the same again as nothing, and no other")
{
    ChainWorld world;
    world.settle(2);
    const auto refused = [&](const evm::Bytes& call) {
        const auto sent = evm::send_and_wait(world.node, world.administration(),
                                             world.settings.name.contract, call);
        REQUIRE(sent.error().code == Errc::chain_refused);
        return world.node.said();
    };
    using Leaves = std::vector<Digest>;
    const Leaves first{world.leaf(0)}, both{world.leaf(0), world.leaf(1)};
    REQUIRE(refused(evm::abi::record(1, Leaves{world.leaf(1)}, {})).ends_with("(Gap)"));
    put(world, evm::abi::record(0, first, {}));
    put(world, evm::abi::record(0, first, {}));
    REQUIRE(refused(evm::abi::record(0, Leaves{world.leaf(1)}, {})).ends_with("(DifferentLeaf)"));
    const std::vector<evm::Bytes> wrong{encoded(world, 0), encoded(world, 0)};
    REQUIRE(refused(evm::abi::record(0, both, wrong)).ends_with("(WrongBody)"));
    put(world, evm::abi::record(0, both, std::vector{encoded(world, 0), encoded(world, 1)}));
    world.require_all_on_chain();

    const merkle::Head none{.size = 0, .root = merkle::Frontier().root()};
    const auto head = world.issuer->ledger_head().value();
    put(world, evm::abi::anchor(none, head));
    put(world, evm::abi::anchor(none, head));
    REQUIRE(
        refused(evm::abi::anchor(none, {.size = 3, .root = head.root})).ends_with("(OtherHead)"));
    REQUIRE(
        refused(evm::abi::anchor(head, {.size = 1, .root = head.root})).ends_with("(OtherHead)"));
    REQUIRE(verify(world).value().bodies == 1);
}

TEST_CASE("only the owner says who may write, and only those write")
{
    ChainWorld world;
    world.settle(1);
    const auto contract = world.settings.name.contract;
    const auto as_other = [&](const evm::Bytes& call) {
        auto settings = world.administration();
        settings.account = world.accounts[1];
        const auto sent = evm::send_and_wait(world.node, settings, contract, call);
        return sent ? std::string("done") : world.node.said();
    };
    const auto call = evm::abi::record(0, std::vector<Digest>{world.leaf(0)}, {});
    const auto itself = evm::abi::set_writer(world.accounts[1], true);
    REQUIRE(as_other(call).ends_with("(NotWriter)"));
    REQUIRE(as_other(itself).ends_with("(NotOwner)"));
    put(world, itself);
    REQUIRE(evm::Contract(world.node, world.settings.name).is_writer(world.accounts[1]).value());
    REQUIRE(as_other(call) == "done");
    put(world, evm::abi::set_writer(world.accounts[1], false));
    REQUIRE(as_other(call).ends_with("(NotWriter)"));
}

TEST_CASE("an entry costs the gas that docs/chain.md says")
{
    ChainWorld world;
    world.settle(32);
    std::vector<Digest> leaves;
    std::vector<evm::Bytes> bodies;
    for (std::uint64_t i = 0; i < 32; ++i) {
        leaves.push_back(world.leaf(i));
        bodies.push_back(encoded(world, i));
    }
    const auto gas = [&](evm::Bytes call) {
        const evm::Transaction transaction{.to = world.settings.name.contract,
                                           .data = std::move(call)};
        return world.node.estimate_gas(world.accounts[0], transaction).value();
    };
    put(world, evm::abi::record(0, std::vector{leaves[0]}, {}));
    const std::span<const Digest> next{leaves.data() + 1, 1}, rest{leaves.data() + 1, 31};
    const std::span<const evm::Bytes> body{bodies.data() + 1, 1}, all{bodies.data() + 1, 31};
    const merkle::Head none{.size = 0, .root = merkle::Frontier().root()};
    CHECK(gas(evm::abi::record(1, next, {})) < 56'000);
    CHECK(gas(evm::abi::record(1, next, body)) < 65'700);
    CHECK(gas(evm::abi::record(1, rest, {})) / 31 < 27'000);
    CHECK(gas(evm::abi::record(1, rest, all)) / 31 < 36'700);
    CHECK(gas(evm::abi::anchor(none, world.issuer->ledger_head().value())) < 38'000);
}
