// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/export.hpp>

#include "applet.hpp"

namespace tallycard::chip {

// T=0 around the applet (ISO/IEC 7816-3, 12.2; ISO/IEC 7816-4, 5.3.4): a command with data cannot
// get response data in the same exchange, so it waits here for GET RESPONSE, until any other
// command comes. Le must be exact. Not thread-safe. The applet must outlive it.
class TALLYCARD_EXPORT T0Framing {
public:
    explicit T0Framing(Applet& applet) : applet_(applet) {}
    T0Framing(const T0Framing&) = delete;
    T0Framing& operator=(const T0Framing&) = delete;

    void power_on();

    // Answers one TPDU: header, P3, data. A header alone counts as one with P3 = 00.
    std::size_t process(std::span<const std::uint8_t> tpdu,
                        std::span<std::uint8_t, Applet::max_answer> out);

private:
    std::size_t get_response(std::span<const std::uint8_t> tpdu,
                             std::span<std::uint8_t, Applet::max_answer> out);
    std::size_t outgoing(std::span<const std::uint8_t> tpdu,
                         std::span<std::uint8_t, Applet::max_answer> out);
    std::size_t incoming(std::span<const std::uint8_t> tpdu,
                         std::span<std::uint8_t, Applet::max_answer> out);
    std::size_t wrong_length(std::span<const std::uint8_t> tpdu,
                             std::span<std::uint8_t, Applet::max_answer> out);

    Applet& applet_;
    std::array<std::uint8_t, Applet::max_answer> waiting_{};
    std::size_t waiting_size_ = 0;  // without the status word
};

}  // namespace tallycard::chip
