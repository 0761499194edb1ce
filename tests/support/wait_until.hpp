// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

namespace testing {

// Looks until it holds; a test that waits for ever is a failure with a name.
inline void wait_until(const std::string& what, const std::function<bool()>& holds)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) throw std::runtime_error("never: " + what);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace testing
