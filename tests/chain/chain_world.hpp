// SPDX-License-Identifier: Apache-2.0
// A node, an issuer, and a contract for its ledger.
#pragma once

#include <catch2/catch.hpp>

#include <functional>

#include "anvil.hpp"
#include "evm/administration.hpp"
#include "evm/feeder.hpp"
#include "support/test_issuer.hpp"

namespace tallycard::test {

// What goes over it may be lost, or changed: `before` may answer instead of the node, `after` may
// answer something else than the node did.
class ChangedTransport final : public evm::Transport {
public:
    using Change = std::function<std::optional<Result<std::string>>(const std::string& text)>;

    explicit ChangedTransport(const std::string& url)
        : below_(evm::open_transport({.url = url}).value())
    {
    }
    Result<std::string> post(const std::string& body) override
    {
        const auto id = body.find("\"id\":");
        last_id = std::stoull(body.substr(id + 5));
        if (before)
            if (auto answer = before(body)) return std::move(*answer);
        auto answer = below_->post(body);
        if (after && answer && is_asked(body))
            if (auto other = after(*answer)) return std::move(*other);
        return answer;
    }
    void interrupt() override { below_->interrupt(); }

    Change before, after;
    std::uint64_t last_id = 0;  // of a request
    std::string method;         // whose answers are changed; empty: all
    bool is_asked(const std::string& body) const
    {
        return method.empty() || body.find("\"" + method + "\"") != std::string::npos;
    }

private:
    std::unique_ptr<evm::Transport> below_;
};

class ChainWorld {
public:
    explicit ChainWorld(std::vector<std::string> arguments = {})
        : anvil(std::move(arguments)), transport(anvil.url())
    {
        accounts = all_accounts();
        settings.account = accounts[0];
        settings.name = {.chain_id = Anvil::chain_id, .contract = deploy()};
        settings.depth = 0;
        card = std::make_unique<SimulatedCard>(issuer.make_card());
    }

    evm::Json control(const char* method, evm::Json parameters = evm::Json::array())
    {
        return rpc.call(method, std::move(parameters)).value();
    }
    void mine(unsigned blocks = 1) { control("anvil_mine", evm::Json::array({blocks})); }
    ChainAddress deploy()
    {
        const auto sent = evm::send_and_wait(node, administration(), std::nullopt,
                                             evm::abi::creation(issuer.description().card_root))
                              .value();
        return sent.receipt.value().created.value();
    }
    evm::AdministrationSettings administration() const
    {
        return {.chain_id = Anvil::chain_id, .account = accounts[0]};
    }
    // Settles so many operations.
    void settle(int count)
    {
        for (int i = 0; i < count; ++i) issuer.run(*card, Kind::top_up, 5);
    }
    evm::Feeder feeder()
    {
        return {*issuer, node, settings, [this](const evm::FeederEvent& event) {
                    events.push_back(event.what + (' ' + std::to_string(event.first)) + '+' +
                                     std::to_string(event.entries));
                }};
    }
    // Steps until it holds. A node makes a block a moment after it took a transaction.
    template <class Holds>
    void step_until(evm::Feeder& feeder, Holds&& holds)
    {
        testing::wait_until("the chain comes so far", [&] {
            const auto report = feeder.step();
            // anvil mixes two states while it makes a block; the next step sees one.
            if (!report) REQUIRE(report.error().code == Errc::chain_failed);
            if (report) last = *report;
            return report && holds();
        });
    }
    void step_until_included(evm::Feeder& feeder)
    {
        step_until(feeder, [&] {
            const auto rows = standing().outbox;
            return std::ranges::none_of(
                       rows, [](const OutboxRow& row) { return row.state == OutboxState::sent; }) &&
                   last.in_blocks == last.entries;
        });
    }
    ChainStanding standing() { return issuer->chain(settings.name).value(); }
    evm::ContractHead head()
    {
        return evm::Contract(node, settings.name).head(evm::newest).value().value();
    }
    Digest leaf(std::uint64_t index)
    {
        return merkle::leaf_hash(issuer->entry(index).value().value().encode());
    }
    // The contract has exactly the leaves of the ledger.
    void require_all_on_chain()
    {
        const auto size = issuer->ledger_head().value().size;
        REQUIRE(head().length == size);
        const auto leaves = evm::Contract(node, settings.name).leaves(0, size, evm::newest).value();
        for (std::uint64_t i = 0; i < size; ++i) REQUIRE(leaves[i] == leaf(i));
    }

    Anvil anvil;
    ChangedTransport transport;
    evm::Rpc rpc{transport};
    evm::Node node{rpc, rpc};
    TestIssuer issuer;
    std::vector<ChainAddress> accounts;
    evm::FeederSettings settings;
    std::unique_ptr<SimulatedCard> card;
    std::vector<std::string> events;
    evm::FeederReport last;

private:
    std::vector<ChainAddress> all_accounts()
    {
        std::vector<ChainAddress> found;
        for (const auto& text : control("eth_accounts"))
            found.push_back(evm::parse_bytes<ChainAddress>(text.get<std::string>()).value());
        return found;
    }
};

}  // namespace tallycard::test
