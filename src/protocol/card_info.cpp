// SPDX-License-Identifier: Apache-2.0
#include <tallycard/card_info.hpp>

#include <algorithm>

#include "fields.hpp"

namespace tallycard {

Encoded<CardInfo::max_encoded> CardInfo::encode() const
{
    tlv::Encoder<max_encoded> inner;
    inner.number(wire::tag::version, 1, wire::version);
    if (state != CardState::blank) {
        inner.field(wire::tag::card_id, card_id.bytes());
        inner.number(wire::tag::sequence, 4, sequence);
        fields::put(inner, currency.unit);
        inner.number(wire::tag::unit_exponent, 1, currency.exponent);
        if (balance) fields::put(inner, *balance);
        inner.field(wire::tag::result_digest, last_result.bytes());
    }
    fields::put(inner, state);
    if (state != CardState::blank) inner.field(wire::tag::certificate, certificate.bytes());

    tlv::Encoder<max_encoded> out;
    out.field(wire::tag::aid, wire::aid);
    out.field(wire::tag::fci_proprietary, inner.fields());
    return out.in_template(wire::tag::fci);
}

Result<CardInfo> CardInfo::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto fci = outer.inside(wire::tag::fci);
    fci.require(std::ranges::equal(fci.field<wire::aid.size()>(wire::tag::aid), wire::aid));
    auto in = fci.inside(wire::tag::fci_proprietary);

    CardInfo info;
    fields::version(in);
    if (in.next_is(wire::tag::state)) {
        in.require(in.number(wire::tag::state, 1) == static_cast<std::uint8_t>(CardState::blank));
    } else {
        info.card_id = fields::bytes<CardId>(in, wire::tag::card_id);
        info.sequence = fields::sequence(in);
        info.currency.unit = fields::unit(in);
        info.currency.exponent = static_cast<std::uint8_t>(in.number(wire::tag::unit_exponent, 1));
        if (in.next_is(wire::tag::balance)) info.balance = fields::balance(in);
        info.last_result = fields::bytes<Digest>(in, wire::tag::result_digest);
        info.state = fields::state(in);
        info.certificate = fields::bytes<Certificate>(in, wire::tag::certificate);
    }
    for (const auto* decoder : {&in, &fci, &outer})
        if (auto done = decoder->finish("FCI"); !done) return done.error();
    return info;
}

}  // namespace tallycard
