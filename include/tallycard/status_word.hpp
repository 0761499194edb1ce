// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace tallycard {

// The two bytes that end every response APDU (ISO/IEC 7816-4, 5.6).
// A default StatusWord, 0x0000, means "the card never answered".
class StatusWord {
public:
    constexpr StatusWord() = default;
    explicit constexpr StatusWord(std::uint16_t value) : value_(value) {}

    constexpr std::uint16_t value() const { return value_; }
    constexpr std::uint8_t sw1() const { return static_cast<std::uint8_t>(value_ >> 8); }
    constexpr std::uint8_t sw2() const { return static_cast<std::uint8_t>(value_); }
    constexpr bool ok() const { return value_ == 0x9000; }

    // 63Cx: the PIN was wrong and x tries are left.
    constexpr std::optional<unsigned> tries_left() const
    {
        if ((value_ & 0xFFF0u) != 0x63C0u) return std::nullopt;
        return value_ & 0x000Fu;
    }

    friend constexpr bool operator==(StatusWord, StatusWord) = default;

private:
    std::uint16_t value_ = 0;
};

// Every status word of docs/protocol.md, section 6, that is one value.
namespace sw {
inline constexpr StatusWord ok{0x9000};
inline constexpr StatusWord memory_failure{0x6581};
inline constexpr StatusWord wrong_length{0x6700};
inline constexpr StatusWord pin_needed{0x6982};
inline constexpr StatusWord pin_blocked{0x6983};
inline constexpr StatusWord no_pin{0x6984};
inline constexpr StatusWord not_in_this_state{0x6985};
inline constexpr StatusWord bad_signature{0x6988};
inline constexpr StatusWord malformed_data{0x6A80};
inline constexpr StatusWord no_such_application{0x6A82};
inline constexpr StatusWord wrong_p1_p2{0x6A86};
inline constexpr StatusWord not_in_log{0x6A88};
inline constexpr StatusWord unknown_ins{0x6D00};
inline constexpr StatusWord unknown_cla{0x6E00};
inline constexpr StatusWord balance_too_low{0x9401};
inline constexpr StatusWord balance_limit{0x9402};
inline constexpr StatusWord amount_limit{0x9403};
inline constexpr StatusWord wrong_sequence{0x9404};
inline constexpr StatusWord wrong_unit{0x9405};
inline constexpr StatusWord wrong_card{0x9406};
inline constexpr StatusWord offline_limit{0x9407};
inline constexpr StatusWord no_such_request{0x9408};
}  // namespace sw

}  // namespace tallycard
