// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <tallycard/amount.hpp>
#include <tallycard/export.hpp>

namespace tallycard {

// What an operation does (docs/protocol.md, section 3).
enum class Kind : std::uint8_t {
    top_up = 0x01,
    cash_out = 0x02,
    transfer_in = 0x03,
    transfer_out = 0x04,
    payment = 0x05,
    set_limits = 0x10,
    block = 0x11,
    unblock = 0x12,
    reset_pin_tries = 0x13,
    replace_operation_key = 0x14,
    cancel = 0x15,  // "void" in the protocol, a keyword here
    open_pin = 0x16,
    terminate = 0x1F,
};

// Empty for a byte that names no kind.
TALLYCARD_EXPORT std::optional<Kind> kind_from_byte(std::uint8_t byte) noexcept;

// "top-up", "void": as docs/protocol.md names it.
TALLYCARD_EXPORT const char* name(Kind kind) noexcept;

constexpr bool is_credit(Kind kind)
{
    return kind == Kind::top_up || kind == Kind::transfer_in;
}
constexpr bool is_debit(Kind kind)
{
    return kind == Kind::cash_out || kind == Kind::transfer_out || kind == Kind::payment;
}
// Such an operation names the other side in field 87: the terminal whose cash moves, or the
// account.
constexpr bool moves_value(Kind kind)
{
    return is_credit(kind) || is_debit(kind);
}
// True where the card executes it only after it has asked for it itself (REQUEST).
constexpr bool needs_request(Kind kind)
{
    return kind == Kind::cash_out || kind == Kind::transfer_in || kind == Kind::transfer_out;
}

// Whether the sign of `amount` is the kind's: above zero, below zero, or zero.
constexpr bool sign_fits(Kind kind, Amount amount)
{
    if (is_credit(kind)) return amount > Amount{};
    if (is_debit(kind)) return amount < Amount{};
    return amount == Amount{};
}

}  // namespace tallycard
