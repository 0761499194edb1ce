// SPDX-License-Identifier: Apache-2.0
#include "event_log.hpp"

#include <array>
#include <chrono>
#include <ctime>

namespace tallycard::service {
namespace {

std::string now()
{
    using namespace std::chrono;
    const auto since = system_clock::now().time_since_epoch();
    const std::time_t seconds = duration_cast<std::chrono::seconds>(since).count();
    const auto rest = static_cast<int>(duration_cast<milliseconds>(since).count() % 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{}, whole{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(whole.data(), whole.size(), "%.20s.%03dZ", text.data(), rest);
    return whole.data();
}

}  // namespace

void EventLog::write(const char* event, const Json& fields)
{
    if (out_ == nullptr) return;
    Json line{{"time", now()}, {"event", event}};
    line.update(fields);
    constexpr auto replace = Json::error_handler_t::replace;  // paths are the client's bytes
    const auto text = line.dump(-1, ' ', false, replace) + "\n";
    const std::lock_guard lock(mutex_);
    std::fwrite(text.data(), 1, text.size(), out_);
    std::fflush(out_);
}

}  // namespace tallycard::service
