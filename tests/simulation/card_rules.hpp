// SPDX-License-Identifier: Apache-2.0
// What a card may do, said a second time and differently from how the applet says it.
#pragma once

#include <cstdint>
#include <set>
#include <span>

#include <tallycard/fixed_bytes.hpp>

#include "../../virtual-card/applet/card_memory.hpp"

namespace simulation {

// One command as a card heard it.
struct Heard {
    std::span<const std::uint8_t> command;
    std::span<const std::uint8_t> answer;
    std::uint16_t sw = 0;    // 0: the card stopped before it answered
    bool pin_stood = false;  // before the command
    bool changed = true;     // whether the memory is another than before
};

// Throws Violation where the memory did not change as this command may change it.
void check_change(const tallycard::chip::CardMemory& before,
                  const tallycard::chip::CardMemory& after, const Heard& heard,
                  const std::set<tallycard::Digest>& signed_operations);

}  // namespace simulation
