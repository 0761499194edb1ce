// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <winscard.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>

#include <tallycard/reader.hpp>

namespace tallycard::pcsc {

// What a reader with a keypad is asked, as PC/SC part 10 lays it out (v2.02.09, 2.3 and 2.5).
// Pure functions; who sends is Link.

// Control codes of the features that we use; 0: the reader does not have it.
struct PinPad {
    DWORD verify = 0, modify = 0;

    bool is_complete() const { return verify != 0 && modify != 0; }
    // From the answer to CM_IOCTL_GET_FEATURE_REQUEST. What is not a list of features has none.
    static PinPad parse(std::span<const std::uint8_t> features);
};

// PIN_VERIFY_STRUCTURE or PIN_MODIFY_STRUCTURE for a command whose data are one or two PIN blocks
// of ISO 9564-1 format 2. Requires a command of at most 21 bytes.
class PinPadRequest {
public:
    PinPadRequest(PinEntry entry, std::span<const std::uint8_t> command,
                  std::chrono::milliseconds longest);
    std::span<const std::uint8_t> bytes() const { return std::span(buffer_).first(size_); }

private:
    std::array<std::uint8_t, 64> buffer_{};
    std::size_t size_ = 0;
};

}  // namespace tallycard::pcsc
