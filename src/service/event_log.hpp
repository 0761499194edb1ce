// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <initializer_list>
#include <mutex>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace tallycard::service {

// What happened, as one JSON object on one line: {"time": "2026-01-31T12:00:00.123Z", "event":
// "request", …}. No token, key or PIN is ever given to it. Thread-safe.
class EventLog {
public:
    using Json = nlohmann::ordered_json;

    explicit EventLog(std::FILE* out) : out_(out) {}  // null: nowhere
    void write(const char* event, const Json& fields = Json::object());

private:
    std::FILE* out_;
    std::mutex mutex_;
};

}  // namespace tallycard::service
