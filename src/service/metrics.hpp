// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace tallycard::service {

// Counts requests, and how long they take, for Prometheus (text format 0.0.4). Thread-safe.
class Metrics {
public:
    void request(const char* route, int status, std::chrono::steady_clock::duration took);

    // The lines of requests and their times.
    std::string text() const;
    // One line of a number of its own, with its type.
    static std::string line(const char* name, const char* type, const char* help,
                            std::uint64_t value);

private:
    static constexpr std::array<double, 10> bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                      0.025,  0.05,  0.1,    0.5,   2.5};
    struct Times {
        std::array<std::uint64_t, bounds.size() + 1> counts{};
        double sum = 0;
    };
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, int>, std::uint64_t> requests_;
    std::map<std::string, Times> times_;
};

}  // namespace tallycard::service
