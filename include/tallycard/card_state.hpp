// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include <tallycard/export.hpp>
#include <tallycard/kind.hpp>

namespace tallycard {

// The life of a card (docs/protocol.md, section 6). It never goes back to blank.
//
//     blank --personalise--> operational --block--> blocked
//                                  ^ <---unblock------ |
//                                  |                   |
//                                  +----> terminated <-+
enum class CardState : std::uint8_t { blank = 1, operational = 2, blocked = 3, terminated = 4 };

// Whether EXECUTE of this kind is possible in this state.
constexpr bool admits(CardState state, Kind kind)
{
    switch (state) {
    case CardState::blank: return false;
    case CardState::operational: return kind != Kind::unblock;
    case CardState::blocked:
        return kind == Kind::unblock || kind == Kind::cancel || kind == Kind::terminate;
    case CardState::terminated: return false;
    }
    return false;
}

// The state after an operation of this kind.
constexpr CardState next(CardState state, Kind kind)
{
    if (kind == Kind::block) return CardState::blocked;
    if (kind == Kind::unblock) return CardState::operational;
    if (kind == Kind::terminate) return CardState::terminated;
    return state;
}

constexpr std::optional<CardState> card_state_from_byte(std::uint8_t byte)
{
    if (byte < 1 || byte > 4) return std::nullopt;
    return static_cast<CardState>(byte);
}

// "operational"
TALLYCARD_EXPORT const char* name(CardState state) noexcept;

}  // namespace tallycard
