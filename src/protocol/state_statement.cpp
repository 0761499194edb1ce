// SPDX-License-Identifier: Apache-2.0
#include <tallycard/state_statement.hpp>

#include "fields.hpp"

namespace tallycard {

bool StateStatement::valid() const
{
    return state != CardState::blank && card_state_from_byte(static_cast<std::uint8_t>(state));
}

Encoded<StateStatement::max_encoded> StateStatement::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.number(wire::tag::version, 1, wire::version);
    out.field(wire::tag::card_id, card_id.bytes());
    out.number(wire::tag::sequence, 4, sequence);
    fields::put(out, unit);
    fields::put(out, balance);
    out.field(wire::tag::result_digest, last_result.bytes());
    fields::put(out, state);
    out.field(wire::tag::challenge, challenge.bytes());
    return out.in_template(wire::tag::state_statement);
}

Result<StateStatement> StateStatement::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::state_statement);
    StateStatement statement;
    fields::version(in);
    statement.card_id = fields::bytes<CardId>(in, wire::tag::card_id);
    statement.sequence = fields::sequence(in);
    statement.unit = fields::unit(in);
    statement.balance = fields::balance(in);
    statement.last_result = fields::bytes<Digest>(in, wire::tag::result_digest);
    statement.state = fields::state(in);
    statement.challenge = fields::bytes<Challenge>(in, wire::tag::challenge);
    if (auto done = in.finish("state statement"); !done) return done.error();
    if (auto done = outer.finish("state statement"); !done) return done.error();
    return statement;
}

}  // namespace tallycard
