// SPDX-License-Identifier: Apache-2.0
#include <tallycard/operation.hpp>
#include <tallycard/verify.hpp>

#include "command_data.hpp"
#include "digest.hpp"
#include "fields.hpp"

namespace tallycard {
namespace {

bool parameter_fits(Kind kind, const Parameter& parameter)
{
    if (kind == Kind::set_limits) {
        const auto* limits = std::get_if<Limits>(&parameter);
        return limits != nullptr && limits->valid();
    }
    if (kind == Kind::replace_operation_key) {
        const auto* key = std::get_if<PublicKey>(&parameter);
        return key != nullptr && is_valid(*key);
    }
    return std::holds_alternative<std::monostate>(parameter);
}

Parameter decode_parameter(tlv::Decoder& in, Kind kind)
{
    if (kind == Kind::set_limits) {
        const auto limits = decode_limits(in.field<34>(wire::tag::parameter));
        in.require(limits.has_value());
        return limits.value_or(Limits{});
    }
    if (kind == Kind::replace_operation_key)
        return fields::bytes<PublicKey>(in, wire::tag::parameter);
    return {};
}

}  // namespace

bool Operation::valid() const
{
    return kind_from_byte(static_cast<std::uint8_t>(kind)) && sign_fits(kind, amount) &&
           account.has_value() == moves_value(kind) && parameter_fits(kind, parameter);
}

Encoded<Operation::max_encoded> Operation::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.number(wire::tag::version, 1, wire::version);
    out.number(wire::tag::kind, 1, static_cast<std::uint64_t>(kind));
    out.field(wire::tag::card_id, card_id.bytes());
    out.number(wire::tag::sequence, 4, sequence);
    fields::put(out, amount);
    fields::put(out, unit);
    out.field(wire::tag::nonce, nonce.bytes());
    if (account) out.field(wire::tag::account, account->bytes());
    if (const auto* limits = std::get_if<Limits>(&parameter))
        out.field(wire::tag::parameter, encode_limits(*limits));
    if (const auto* key = std::get_if<PublicKey>(&parameter))
        out.field(wire::tag::parameter, key->bytes());
    return out.in_template(wire::tag::operation);
}

Digest Operation::digest() const
{
    return sha256(encode());
}

Result<Operation> Operation::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::operation);
    fields::version(in);
    const auto kind = kind_from_byte(static_cast<std::uint8_t>(in.number(wire::tag::kind, 1)));
    in.require(kind.has_value());

    Operation op;
    op.kind = kind.value_or(Kind::cancel);
    op.card_id = fields::bytes<CardId>(in, wire::tag::card_id);
    op.sequence = fields::sequence(in);
    op.amount = fields::amount(in);
    op.unit = fields::unit(in);
    op.nonce = fields::bytes<Nonce>(in, wire::tag::nonce);
    if (moves_value(op.kind)) op.account = fields::account(in);
    op.parameter = decode_parameter(in, op.kind);
    in.require(op.valid());
    if (auto done = in.finish("operation"); !done) return done.error();
    if (auto done = outer.finish("operation"); !done) return done.error();
    return op;
}

}  // namespace tallycard
