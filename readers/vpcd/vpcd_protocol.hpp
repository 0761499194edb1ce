// SPDX-License-Identifier: Apache-2.0
// What a vpcd reader and a card program say to each other, as vsmartcard has it: two bytes of
// length, big-endian, then that many bytes. From the reader, one byte is a control, and more is a
// command. From the card, the ATR after `get_atr` and an answer after each command; nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tallycard::vpcd {

enum class Control : std::uint8_t { power_off = 0, power_on = 1, reset = 2, get_atr = 4 };

constexpr std::size_t length_size = 2;
constexpr std::size_t max_message = 0xFFFF;

}  // namespace tallycard::vpcd
