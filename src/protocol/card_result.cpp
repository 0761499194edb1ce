// SPDX-License-Identifier: Apache-2.0
#include <tallycard/card_result.hpp>

#include "digest.hpp"
#include "fields.hpp"

namespace tallycard {

bool CardResult::valid() const
{
    return state != CardState::blank && card_state_from_byte(static_cast<std::uint8_t>(state));
}

Encoded<CardResult::max_encoded> CardResult::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.number(wire::tag::version, 1, wire::version);
    out.field(wire::tag::card_id, card_id.bytes());
    out.number(wire::tag::sequence, 4, sequence);
    out.field(wire::tag::operation_digest, operation.bytes());
    fields::put(out, balance);
    out.field(wire::tag::result_digest, previous_result.bytes());
    fields::put(out, state);
    return out.in_template(wire::tag::result);
}

Digest CardResult::digest() const
{
    return sha256(encode());
}

Result<CardResult> CardResult::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::result);
    CardResult result;
    fields::version(in);
    result.card_id = fields::bytes<CardId>(in, wire::tag::card_id);
    result.sequence = fields::sequence(in);
    result.operation = fields::bytes<Digest>(in, wire::tag::operation_digest);
    result.balance = fields::balance(in);
    result.previous_result = fields::bytes<Digest>(in, wire::tag::result_digest);
    result.state = fields::state(in);
    if (auto done = in.finish("result"); !done) return done.error();
    if (auto done = outer.finish("result"); !done) return done.error();
    return result;
}

}  // namespace tallycard
