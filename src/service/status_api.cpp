// SPDX-License-Identifier: Apache-2.0
// Health, metrics, and the description of this interface.
#include <array>

#include "api.hpp"
#include "openapi.hpp"

namespace tallycard::service::api {
namespace {

// One number of each chain, by its name.
struct ChainNumber {
    const char* name;
    const char* type;
    const char* help;
    std::uint64_t (*of)(const ChainFeed::Status& status);
};

constexpr std::array<ChainNumber, 7> chain_numbers{{
    {"tallycard_chain_entries", "gauge", "Entries that the chain has.",
     [](const auto& status) { return status.report.in_blocks; }},
    {"tallycard_chain_final_entries", "gauge", "Entries that the chain has for good.",
     [](const auto& status) { return status.report.final_entries; }},
    {"tallycard_chain_under_way", "gauge", "Transactions that are not final.",
     [](const auto& status) { return std::uint64_t{status.report.under_way}; }},
    {"tallycard_chain_sent_total", "counter", "Transactions that were signed and sent.",
     [](const auto& status) { return status.sent; }},
    {"tallycard_chain_failed_total", "counter", "Transactions that failed in a block.",
     [](const auto& status) { return status.failed; }},
    {"tallycard_chain_errors_total", "counter", "Looks at the chain that went wrong.",
     [](const auto& status) { return status.errors; }},
    {"tallycard_chain_works", "gauge", "Whether the last look at the chain went right.",
     [](const auto& status) { return std::uint64_t{status.works}; }},
}};

std::string chain_metrics(const Works& works)
{
    std::string text;
    if (works.chains.empty()) return text;
    for (const auto& number : chain_numbers) {
        text += std::string("# HELP ") + number.name + " " + number.help + "\n# TYPE " +
                number.name + " " + number.type + "\n";
        for (const auto& chain : works.chains) {
            text += std::string(number.name) + "{chain=\"" + chain->name() + "\"} " +
                    std::to_string(number.of(chain->status())) + "\n";
        }
    }
    return text;
}

}  // namespace

// Looks into the store: a service that cannot is not healthy, whatever else it does.
Answer health(Works& works, const Call&)
{
    const auto head = works.platform.ledger_head();
    if (!head) {
        auto answer = refusal(head.error());
        answer.status = 503;
        answer.retry_after = 1;
        return answer;
    }
    return json({{"status", "ok"}});
}

Answer metrics(Works& works, const Call&)
{
    const auto head = works.platform.ledger_head();
    if (!head) return refusal(head.error());
    const auto restored = works.platform.restored();
    if (!restored) return refusal(restored.error());
    const auto kept = works.platform.kept_count();
    if (!kept) return refusal(kept.error());
    const auto counts = works.orders.counts();
    auto text = works.metrics.text();
    text += Metrics::line("tallycard_settled_total", "counter", "Receipts that settled.",
                          counts.settled);
    text += Metrics::line("tallycard_settle_batches_total", "counter",
                          "Durable writes that settled them.", counts.batches);
    text += Metrics::line("tallycard_settle_refused_total", "counter",
                          "Receipts and requests that found the queue full.", counts.refused);
    text += Metrics::line("tallycard_settle_waiting", "gauge",
                          "Receipts and requests in the queue.", counts.waiting);
    text +=
        Metrics::line("tallycard_ledger_entries", "gauge", "Entries of the ledger.", head->size);
    text += Metrics::line("tallycard_kept_results", "gauge",
                          "Results that wait for those in front of them.", *kept);
    text +=
        Metrics::line("tallycard_gaps_made_total", "counter",
                      "Gaps that were made because the time for it had come.", works.gaps.made());
    text += Metrics::line("tallycard_restored_operations", "gauge",
                          "Operations that the store had forgotten to have signed. Not 0: it was "
                          "restored from a copy.",
                          *restored);
    if (works.witnesses != nullptr) {
        text += Metrics::line("tallycard_ledger_witnessed", "gauge",
                              "Entries that enough witnesses have seen.", works.witnesses->size());
    }
    text += chain_metrics(works);
    text += Metrics::line("tallycard_connections", "gauge", "Open connections.", works.connections);
    return {.body = std::move(text),
            .type = "text/plain; version=0.0.4; charset=utf-8",
            .retry_after = {}};
}

Answer openapi(Works&, const Call&)
{
    return {.body = std::string(openapi_text), .retry_after = {}};
}

}  // namespace tallycard::service::api
