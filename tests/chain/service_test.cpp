// SPDX-License-Identifier: Apache-2.0
// The service writes its ledger to a chain, whatever the chain does.
#include "chain_world.hpp"
#include "service/settings.hpp"
#include "support/https_request.hpp"
#include "support/service_host.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

service::ServiceSettings settings_for(const ChainWorld& world)
{
    service::ChainSettings chain;
    chain.name = "main";
    chain.node.url = world.anvil.url();
    chain.feeder = world.settings;
    chain.poll_seconds = 1;
    service::ServiceSettings settings;
    settings.chains.push_back(chain);
    settings.metrics_public = true;
    return settings;
}

std::string configuration(const std::string& lines)
{
    return "[chain main]\nurl = http://127.0.0.1:8545\nchain-id = 1\n"
           "contract = 0x0000000000000000000000000000000000000001\n"
           "account = 0x0000000000000000000000000000000000000002\n" +
           lines;
}

}  // namespace

TEST_CASE("the service settles while the chain is away, and writes all of it when it is back")
{
    ChainWorld world;
    world.settle(1);
    const ServiceHost host(*world.issuer, &world.issuer.checkpoint_key(), settings_for(world));
    const auto is_final = [&](std::uint64_t entries) {
        return [&world, entries] { return world.standing().final_entries == entries; };
    };
    testing::wait_until("the first entry is final", is_final(1));
    const auto shown = [&](const std::string& line) {
        return [&host, line] {
            return WebClient(host).get("/metrics").text.find(line + "\n") != std::string::npos;
        };
    };
    const auto state = world.control("anvil_dumpState");
    world.anvil.stop(SIGKILL);
    world.settle(3);
    testing::wait_until("the chain is missed", shown("tallycard_chain_works{chain=\"main\"} 0"));
    world.settle(1);
    world.anvil.start();
    world.control("anvil_loadState", evm::Json::array({state}));
    testing::wait_until("the other entries are final", is_final(5));
    world.require_all_on_chain();
    testing::wait_until("the metrics say so",
                        shown("tallycard_chain_final_entries{chain=\"main\"} 5"));
    testing::wait_until("it works again", shown("tallycard_chain_works{chain=\"main\"} 1"));
    REQUIRE(!shown("tallycard_chain_errors_total{chain=\"main\"} 0")());
}

TEST_CASE("the configuration names a chain, and what is wrong with it by its line")
{
    const auto parsed = [](const std::string& lines) {
        return service::parse_settings(configuration(lines));
    };
    const auto line = [&](const std::string& lines) {
        const auto settings = parsed(lines);
        REQUIRE(settings.error().code == Errc::file_malformed);
        return settings.error().detail;
    };
    const auto settings = parsed(
                              "mode = full\nfinal = 12\nbatch = 50\nmost-gwei = 3\nsigner = "
                              "https://signer.example/x\n")
                              .value();
    const auto& chain = settings.service.chains.at(0);
    REQUIRE(chain.name == "main");
    REQUIRE(chain.feeder.mode == evm::ChainMode::full);
    REQUIRE(chain.feeder.depth == 12);
    REQUIRE(chain.feeder.batch == 50);
    REQUIRE(chain.feeder.most_gas_price == 3'000'000'000);
    REQUIRE(!parsed("final = finalized\n").value().service.chains.at(0).feeder.depth);
    for (const auto* wrong :
         {"mode = some", "final = soon", "batch = 0", "colour = red", "signer = ftp://x",
          "most-gwei = 0", "every-seconds = 0", "account = 0x12", "poll-seconds = 0"})
        REQUIRE(line(std::string(wrong) + "\n") == 6);
    REQUIRE(service::parse_settings("[chain main]\nurl = http://x\n").error().detail == 1);
    // A token goes to loopback, or over TLS.
    const auto with_token = [](const std::string& host) {
        auto text = configuration("token-file = /t\n");
        return service::parse_settings(text.replace(text.find("http://127.0.0.1"), 16, host));
    };
    REQUIRE(with_token("http://127.0.0.1"));
    REQUIRE(with_token("http://localhost"));
    REQUIRE(with_token("https://node.example"));
    REQUIRE(with_token("http://127.0.0.1.example").error().detail == 1);
    REQUIRE(with_token("http://10.0.0.1").error().detail == 1);
    REQUIRE(service::parse_settings("[chain a\"b]\n").error().detail == 1);
    const std::string address = "0x" + std::string(40, '1');
    const auto same =
        "]\nurl = http://x\nchain-id = 1\ncontract = " + address + "\naccount = " + address + "\n";
    REQUIRE(service::parse_settings("[chain one" + same));
    REQUIRE(service::parse_settings("[chain one" + same + "[chain two" + same).error().detail == 6);
    REQUIRE(service::parse_settings("listen = 127.0.0.1:0\n[other x]\n").error().detail == 2);
}
