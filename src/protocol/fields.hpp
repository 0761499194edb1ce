// SPDX-License-Identifier: Apache-2.0
// Fields of docs/protocol.md, section 2, as values, both ways. A value that the table excludes
// makes the decoder fail.
#pragma once

#include <tallycard/account_id.hpp>
#include <tallycard/amount.hpp>
#include <tallycard/card_state.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/unit.hpp>

#include "tlv.hpp"
#include "wire.hpp"

namespace tallycard::fields {

inline void version(tlv::Decoder& in)
{
    in.require(in.number(wire::tag::version, 1) == wire::version);
}

template <class T>
T bytes(tlv::Decoder& in, std::uint8_t tag)
{
    return T(in.field<T::size>(tag));
}

inline std::uint32_t sequence(tlv::Decoder& in)
{
    return static_cast<std::uint32_t>(in.number(wire::tag::sequence, 4));
}

inline Amount amount(tlv::Decoder& in)
{
    const auto bits = in.number(wire::tag::amount, 8);
    in.require(bits != std::uint64_t{1} << 63);
    return in.ok() ? Amount::minor_units(static_cast<std::int64_t>(bits)) : Amount{};
}

inline Balance balance(tlv::Decoder& in)
{
    const auto bits = in.number(wire::tag::balance, 8);
    in.require(bits <= Balance::largest);
    return in.ok() ? Balance::minor_units(bits) : Balance{};
}

inline Unit unit(tlv::Decoder& in)
{
    const auto unit = Unit::from_code(static_cast<std::uint16_t>(in.number(wire::tag::unit, 2)));
    in.require(unit.has_value());
    return unit.value_or(Unit{});
}

// Of a personalised card: never blank.
inline CardState state(tlv::Decoder& in)
{
    const auto state =
        card_state_from_byte(static_cast<std::uint8_t>(in.number(wire::tag::state, 1)));
    in.require(state && *state != CardState::blank);
    return state.value_or(CardState::operational);
}

// A name as accounts have. Empty when the decoder failed.
inline std::optional<AccountId> account(tlv::Decoder& in, std::uint8_t tag = wire::tag::account)
{
    const auto account = AccountId::parse(in.field(tag, 1, AccountId::max_size));
    in.require(account.has_value());
    return account;
}

template <std::size_t N>
void put(tlv::Encoder<N>& out, Amount amount)
{
    out.number(wire::tag::amount, 8, static_cast<std::uint64_t>(amount.to_minor_units()));
}
template <std::size_t N>
void put(tlv::Encoder<N>& out, Balance balance)
{
    out.number(wire::tag::balance, 8, balance.to_minor_units());
}
template <std::size_t N>
void put(tlv::Encoder<N>& out, Unit unit)
{
    out.number(wire::tag::unit, 2, unit.code());
}
template <std::size_t N>
void put(tlv::Encoder<N>& out, CardState state)
{
    out.number(wire::tag::state, 1, static_cast<std::uint64_t>(state));
}

}  // namespace tallycard::fields
