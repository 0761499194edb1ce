// SPDX-License-Identifier: Apache-2.0
#include <tallycard/instructions.hpp>

#include "fields.hpp"

namespace tallycard {
namespace {

template <std::size_t N>
Encoded<N> join(std::span<const std::uint8_t> object, std::uint8_t tag, const Signature& signature)
{
    tlv::Encoder<N> out;
    out.raw(object);
    out.field(tag, signature.bytes());
    return out.fields();
}

// An object of type T, its signature behind it, and nothing else.
template <class T>
Result<std::pair<T, Signature>> split(std::span<const std::uint8_t> bytes, std::uint8_t object_tag,
                                      std::uint8_t signature_tag, const char* where)
{
    tlv::Decoder in(bytes);
    const auto object = in.element(object_tag);
    const auto signature = fields::bytes<Signature>(in, signature_tag);
    if (auto done = in.finish(where); !done) return done.error();
    auto decoded = T::decode(object);
    if (!decoded) return decoded.error();
    return std::pair(*decoded, signature);
}

}  // namespace

Encoded<FirstInstruction::max_encoded> FirstInstruction::encode() const
{
    return join<max_encoded>(operation.encode(), wire::tag::issuer_signature, issuer_signature);
}

Result<FirstInstruction> FirstInstruction::decode(std::span<const std::uint8_t> bytes)
{
    auto parts = split<Operation>(bytes, wire::tag::operation, wire::tag::issuer_signature,
                                  "first instruction");
    if (!parts) return parts.error();
    return FirstInstruction{parts->first, parts->second};
}

Encoded<SecondInstruction::max_encoded> SecondInstruction::encode() const
{
    return join<max_encoded>(operation.encode(), wire::tag::card_signature, card_signature);
}

Result<SecondInstruction> SecondInstruction::decode(std::span<const std::uint8_t> bytes)
{
    auto parts = split<Operation>(bytes, wire::tag::operation, wire::tag::card_signature,
                                  "second instruction");
    if (!parts) return parts.error();
    return SecondInstruction{parts->first, parts->second};
}

bool ExecutedOperation::valid() const
{
    return operation.valid() && issuer_signature.has_value() == (operation.kind != Kind::payment) &&
           (!consent || operation.kind == Kind::transfer_in);
}

Encoded<ExecutedOperation::max_encoded> ExecutedOperation::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.raw(operation.encode());
    if (issuer_signature) out.field(wire::tag::issuer_signature, issuer_signature->bytes());
    if (consent) out.field(wire::tag::owner_signature, consent->bytes());
    return out.fields();
}

Result<ExecutedOperation> ExecutedOperation::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder in(bytes);
    const auto operation = Operation::decode(in.element(wire::tag::operation));
    if (!operation) return operation.error();
    ExecutedOperation executed{*operation, std::nullopt};
    if (operation->kind != Kind::payment)
        executed.issuer_signature = fields::bytes<Signature>(in, wire::tag::issuer_signature);
    if (operation->kind == Kind::transfer_in && in.next_is(wire::tag::owner_signature))
        executed.consent = fields::bytes<Signature>(in, wire::tag::owner_signature);
    if (auto done = in.finish("executed operation"); !done) return done.error();
    return executed;
}

Encoded<Receipt::max_encoded> Receipt::encode() const
{
    return join<max_encoded>(result.encode(), wire::tag::card_signature, card_signature);
}

Result<Receipt> Receipt::decode(std::span<const std::uint8_t> bytes)
{
    auto parts =
        split<CardResult>(bytes, wire::tag::result, wire::tag::card_signature, "third instruction");
    if (!parts) return parts.error();
    return Receipt{parts->first, parts->second};
}

}  // namespace tallycard
