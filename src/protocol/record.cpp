// SPDX-License-Identifier: Apache-2.0
#include <tallycard/record.hpp>

#include "fields.hpp"

namespace tallycard {

bool Record::valid() const
{
    return operation.valid() && receipt.result.valid() &&
           issuer_signature.has_value() == (operation.kind != Kind::payment);
}

Encoded<Record::max_encoded> Record::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.raw(operation.encode());
    if (issuer_signature) out.field(wire::tag::issuer_signature, issuer_signature->bytes());
    out.raw(receipt.encode());
    return out.in_template(wire::tag::record);
}

Result<Record> Record::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::record);
    auto operation = Operation::decode(in.element(wire::tag::operation));
    if (!operation) return operation.error();

    Record record{.operation = *operation, .issuer_signature = {}, .receipt = {}};
    if (operation->kind != Kind::payment)
        record.issuer_signature = fields::bytes<Signature>(in, wire::tag::issuer_signature);
    auto result = CardResult::decode(in.element(wire::tag::result));
    if (!result) return result.error();
    record.receipt.result = *result;
    record.receipt.card_signature = fields::bytes<Signature>(in, wire::tag::card_signature);
    if (auto done = in.finish("record"); !done) return done.error();
    if (auto done = outer.finish("record"); !done) return done.error();
    return record;
}

}  // namespace tallycard
