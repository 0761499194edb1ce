// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/apdu.hpp>
#include <tallycard/export.hpp>
#include <tallycard/status_word.hpp>

namespace tallycard {

// One command and its answer, redacted: a command that can carry a PIN or a sealed key (VERIFY,
// CHANGE REFERENCE DATA, PERSONALISE) shows sizes only. The spans end with the call.
struct Exchange {
    apdu::Header header;
    std::size_t command_data_size = 0;
    std::span<const std::uint8_t> command_data;  // empty where redacted
    std::size_t response_data_size = 0;
    std::span<const std::uint8_t> response_data;  // empty where redacted
    StatusWord sw;                                // 0000: no answer
    std::chrono::nanoseconds took{};
};

// Sees what a CardSession exchanges. The library logs nothing by itself.
class TALLYCARD_EXPORT Observer {
public:
    virtual ~Observer();
    // Called on the thread of the session, after each exchange. Must not throw.
    virtual void exchanged(const Exchange& exchange) noexcept = 0;
};

}  // namespace tallycard
