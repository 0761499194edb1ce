// SPDX-License-Identifier: Apache-2.0
// Health, metrics, and the description of this interface.
#include "api.hpp"
#include "openapi.hpp"

namespace tallycard::service::api {

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
        Metrics::line("tallycard_ledger_entries", "gauge", "Records in the ledger.", head->size);
    if (works.witnesses != nullptr) {
        text += Metrics::line("tallycard_ledger_witnessed", "gauge",
                              "Records that enough witnesses have seen.", works.witnesses->size());
    }
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
