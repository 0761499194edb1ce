// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/result.hpp>

#include "ifd_slot.hpp"
#include "pin_entry.hpp"

namespace tallycard::ifd {

// The pinpad of a slot.
struct Pinpad {
    PinEntry* entry;                       // null: none
    std::chrono::seconds default_timeout;  // where a command names none
    std::size_t slot;
};

// What SCardControl asks of the reader itself (PC/SC part 10): its features, their properties, and
// VERIFY and MODIFY PIN, which answer a status word: the card's, or 6400 (nobody typed in time),
// 6401 (cancelled), 6402 (the new PIN was typed differently the second time), 6403 (too few digits
// or too many), 6B80 (the structure makes no sense). Empty: no such control code.
Result<std::optional<std::size_t>> control(Slot& slot, const Pinpad& pinpad, std::uint32_t code,
                                           std::span<const std::uint8_t> in,
                                           std::span<std::uint8_t> out);

}  // namespace tallycard::ifd
