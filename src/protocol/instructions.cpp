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
    return operation.valid() && issuer_signature.has_value() == (operation.kind != Kind::payment);
}

Encoded<ExecutedOperation::max_encoded> ExecutedOperation::encode() const
{
    TALLYCARD_EXPECTS(valid());
    if (issuer_signature) return FirstInstruction{operation, *issuer_signature}.encode();
    return Encoded<max_encoded>(operation.encode().bytes());
}

Result<ExecutedOperation> ExecutedOperation::decode(std::span<const std::uint8_t> bytes)
{
    const auto alone = Operation::decode(bytes);
    if (alone && alone->kind == Kind::payment) return ExecutedOperation{*alone, std::nullopt};
    const auto first = FirstInstruction::decode(bytes);
    if (!first) return first.error();
    if (first->operation.kind == Kind::payment)
        return Error{.code = Errc::malformed, .where = "executed operation"};
    return ExecutedOperation{first->operation, first->issuer_signature};
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
