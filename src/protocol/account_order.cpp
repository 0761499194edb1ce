// SPDX-License-Identifier: Apache-2.0
#include <tallycard/account_order.hpp>

#include <array>

#include <tallycard/verify.hpp>

#include "fields.hpp"
#include "utf8.hpp"

namespace tallycard {
namespace {

constexpr std::array kinds = {
    OrderKind::open,        OrderKind::pay_in,    OrderKind::pay_out,        OrderKind::move,
    OrderKind::replace_key, OrderKind::close,     OrderKind::adjust,         OrderKind::recover,
    OrderKind::hand_in,     OrderKind::reset_key, OrderKind::recover_holder, OrderKind::write_off};

bool sign_fits(OrderKind kind, Amount amount)
{
    switch (kind) {
    case OrderKind::pay_in:
    case OrderKind::recover:
    case OrderKind::recover_holder: return amount > Amount{};
    case OrderKind::pay_out:
    case OrderKind::move: return amount < Amount{};
    case OrderKind::adjust:
    case OrderKind::hand_in: return amount != Amount{};
    default: return amount == Amount{};
    }
}

// True where `other` is what the kind wants on the other side.
bool other_fits(OrderKind kind, const AccountId& account, const std::optional<AccountId>& other)
{
    if (kind == OrderKind::move) return other && *other != account;
    if (names_outside(kind)) return other.has_value();
    if (!names_card(kind)) return !other;
    const auto card = other ? CardId::parse(other->text()) : std::nullopt;
    return card && !(kind == OrderKind::recover_holder && account == holder_account(*card));
}

}  // namespace

std::optional<OrderKind> order_kind_from_byte(std::uint8_t byte) noexcept
{
    for (const auto kind : kinds)
        if (static_cast<std::uint8_t>(kind) == byte) return kind;
    return std::nullopt;
}

std::optional<OrderKind> order_kind_from_name(std::string_view text) noexcept
{
    for (const auto kind : kinds)
        if (name(kind) == text) return kind;
    return std::nullopt;
}

const char* name(OrderKind kind) noexcept
{
    switch (kind) {
    case OrderKind::open: return "open";
    case OrderKind::pay_in: return "pay in";
    case OrderKind::pay_out: return "pay out";
    case OrderKind::move: return "move";
    case OrderKind::replace_key: return "replace key";
    case OrderKind::close: return "close";
    case OrderKind::adjust: return "adjust";
    case OrderKind::recover: return "recover";
    case OrderKind::hand_in: return "hand in";
    case OrderKind::reset_key: return "reset key";
    case OrderKind::recover_holder: return "recover holder account";
    case OrderKind::write_off: return "write off";
    }
    return "unknown";
}

std::optional<Reference> Reference::parse(std::string_view text)
{
    const auto admits = [](char32_t c) { return c >= 0x20 && (c < 0x7F || c > 0x9F); };
    if (text.empty() || text.size() > max_size || !utf8::all_of(text, admits)) return std::nullopt;
    Reference reference;
    reference.text_.append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    return reference;
}

std::optional<Reference> Reference::parse(std::span<const std::uint8_t> bytes)
{
    return parse(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

bool AccountOrder::valid() const
{
    return order_kind_from_byte(static_cast<std::uint8_t>(kind)) && sign_fits(kind, amount) &&
           other_fits(kind, account, other) && key.has_value() == sets_key(kind) &&
           (!key || is_valid(*key)) && (reference || !needs_reference(kind));
}

CardId AccountOrder::card() const
{
    TALLYCARD_EXPECTS(names_card(kind) && other);
    return *CardId::parse(other->text());
}

Encoded<AccountOrder::max_encoded> AccountOrder::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.number(wire::tag::version, 1, wire::version);
    out.number(wire::tag::kind, 1, static_cast<std::uint64_t>(kind));
    out.field(wire::tag::account, account.bytes());
    out.number(wire::tag::sequence, 4, number);
    fields::put(out, amount);
    fields::put(out, unit);
    out.field(wire::tag::nonce, id.bytes());
    if (other) out.field(wire::tag::other_side, other->bytes());
    if (key) out.field(wire::tag::account_key, key->bytes());
    if (reference) out.field(wire::tag::reference, reference->bytes());
    return out.in_template(wire::tag::account_order);
}

Result<AccountOrder> AccountOrder::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::account_order);
    fields::version(in);
    const auto kind =
        order_kind_from_byte(static_cast<std::uint8_t>(in.number(wire::tag::kind, 1)));
    in.require(kind.has_value());
    const auto account = fields::account(in);
    AccountOrder order{.kind = kind.value_or(OrderKind::close),
                       .account = account.value_or(unaccounted()),
                       .number = fields::sequence(in),
                       .amount = fields::amount(in),
                       .unit = fields::unit(in),
                       .id = fields::bytes<OperationId>(in, wire::tag::nonce)};
    if (in.next_is(wire::tag::other_side)) order.other = fields::account(in, wire::tag::other_side);
    if (in.next_is(wire::tag::account_key))
        order.key = fields::bytes<PublicKey>(in, wire::tag::account_key);
    if (in.next_is(wire::tag::reference)) {
        order.reference = Reference::parse(in.field(wire::tag::reference, 1, Reference::max_size));
        in.require(order.reference.has_value());
    }
    in.require(order.valid());
    if (auto done = in.finish("account order"); !done) return done.error();
    if (auto done = outer.finish("account order"); !done) return done.error();
    return order;
}

}  // namespace tallycard
