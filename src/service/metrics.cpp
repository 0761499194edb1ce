// SPDX-License-Identifier: Apache-2.0
#include "metrics.hpp"

#include <cstdio>

namespace tallycard::service {
namespace {

std::string head(const char* name, const char* type, const char* help)
{
    return std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

std::string shown(double number)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.9g", number);
    return text.data();
}

}  // namespace

void Metrics::request(const char* route, int status, std::chrono::steady_clock::duration took)
{
    const double seconds = std::chrono::duration<double>(took).count();
    std::size_t bucket = 0;
    while (bucket < bounds.size() && seconds > bounds[bucket]) ++bucket;
    const std::lock_guard lock(mutex_);
    ++requests_[{route, status}];
    auto& times = times_[route];
    ++times.counts[bucket];
    times.sum += seconds;
}

std::string Metrics::line(const char* name, const char* type, const char* help, std::uint64_t value)
{
    return head(name, type, help) + name + " " + std::to_string(value) + "\n";
}

std::string Metrics::text() const
{
    constexpr auto requests = "tallycard_requests_total";
    constexpr auto seconds = "tallycard_request_seconds";
    const std::lock_guard lock(mutex_);
    auto text = head(requests, "counter", "Requests by route and HTTP status.");
    for (const auto& [key, count] : requests_) {
        text += std::string(requests) + "{route=\"" + key.first + "\",status=\"" +
                std::to_string(key.second) + "\"} " + std::to_string(count) + "\n";
    }
    text += head(seconds, "histogram", "From the head of a request to its answer.");
    for (const auto& [route, times] : times_) {
        std::uint64_t sum = 0;
        const auto label = std::string("{route=\"") + route + "\"";
        for (std::size_t i = 0; i <= bounds.size(); ++i) {
            sum += times.counts[i];
            text += std::string(seconds) + "_bucket" + label + ",le=\"" +
                    (i < bounds.size() ? shown(bounds[i]) : "+Inf") + "\"} " + std::to_string(sum) +
                    "\n";
        }
        text += std::string(seconds) + "_sum" + label + "} " + shown(times.sum) + "\n";
        text += std::string(seconds) + "_count" + label + "} " + std::to_string(sum) + "\n";
    }
    return text;
}

}  // namespace tallycard::service
