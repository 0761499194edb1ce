// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <tallycard/account_id.hpp>
#include <tallycard/amount.hpp>
#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>
#include <tallycard/unit.hpp>

namespace tallycard {

// The effect of an account order (docs/accounts.md, section 3).
enum class OrderKind : std::uint8_t {
    open = 0x20,
    pay_in = 0x21,
    pay_out = 0x22,
    move = 0x23,
    replace_key = 0x24,
    close = 0x25,
    adjust = 0x26,
    recover = 0x27,
    hand_in = 0x28,
    reset_key = 0x29,
    recover_holder = 0x2A,
    write_off = 0x2B,
};

// Empty for a byte that names no kind.
TALLYCARD_EXPORT std::optional<OrderKind> order_kind_from_byte(std::uint8_t byte) noexcept;
// "pay in": as docs/accounts.md names it; and the kind of such a name.
TALLYCARD_EXPORT const char* name(OrderKind kind) noexcept;
TALLYCARD_EXPORT std::optional<OrderKind> order_kind_from_name(std::string_view name) noexcept;

constexpr bool sets_key(OrderKind kind)
{
    return kind == OrderKind::open || kind == OrderKind::replace_key ||
           kind == OrderKind::reset_key;
}
// True where the owner signs: with the key that the order sets for `open` and `reset_key`, which
// proves possession, else with the key in force.
constexpr bool needs_owner(OrderKind kind)
{
    return sets_key(kind) || kind == OrderKind::pay_out || kind == OrderKind::move ||
           kind == OrderKind::close;
}
// True where the issuer acts alone: every audit lists them.
constexpr bool needs_reference(OrderKind kind)
{
    return kind == OrderKind::adjust || kind == OrderKind::recover ||
           kind == OrderKind::reset_key || kind == OrderKind::recover_holder ||
           kind == OrderKind::write_off;
}
// True where the other side is a card.
constexpr bool names_card(OrderKind kind)
{
    return kind == OrderKind::recover || kind == OrderKind::recover_holder ||
           kind == OrderKind::write_off;
}
// True where the other side is a name outside.
constexpr bool names_outside(OrderKind kind)
{
    return kind == OrderKind::pay_in || kind == OrderKind::pay_out || kind == OrderKind::adjust ||
           kind == OrderKind::hand_in;
}

// Words for people that an order carries: 1 to 64 bytes of UTF-8 without control characters.
// Field 99.
class Reference {
public:
    static constexpr std::size_t max_size = 64;

    TALLYCARD_EXPORT static std::optional<Reference> parse(std::string_view text);
    TALLYCARD_EXPORT static std::optional<Reference> parse(std::span<const std::uint8_t> bytes);

    std::string_view text() const
    {
        return {reinterpret_cast<const char*>(text_.bytes().data()), text_.size()};
    }
    std::span<const std::uint8_t> bytes() const { return text_; }
    friend bool operator==(const Reference&, const Reference&) = default;

private:
    Reference() = default;
    Encoded<max_size> text_;
};

// One order for one account: object E5 of docs/accounts.md. A value type; no allocation.
struct AccountOrder {
    static constexpr std::size_t max_encoded = 185;

    OrderKind kind = OrderKind::close;
    AccountId account;         // of `hand_in` a terminal
    std::uint32_t number = 0;  // the account's first order is 1
    Amount amount;             // what the account gets; below zero: gives
    Unit unit;
    OperationId id;  // the caller's; used once for each account
    // An account of a move, a card id in hex (names_card()), a name outside (names_outside()).
    std::optional<AccountId> other{};
    std::optional<PublicKey> key{};
    std::optional<Reference> reference{};

    // True where docs/accounts.md, section 3, admits these fields together.
    TALLYCARD_EXPORT bool valid() const;
    // Requires valid() and names_card(kind).
    TALLYCARD_EXPORT CardId card() const;

    // Requires valid(). The one encoding, tag and length included.
    TALLYCARD_EXPORT Encoded<max_encoded> encode() const;
    // Strict: takes exactly the bytes that encode() makes, else Errc::malformed with the offset.
    TALLYCARD_EXPORT static Result<AccountOrder> decode(std::span<const std::uint8_t> bytes);

    friend bool operator==(const AccountOrder&, const AccountOrder&) = default;
};

}  // namespace tallycard
