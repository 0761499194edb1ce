// SPDX-License-Identifier: Apache-2.0
#include "personalisation.hpp"

#include <tallycard/pin.hpp>
#include <tallycard/verify.hpp>

#include <algorithm>

#include "../crypto/secrecy.hpp"
#include "command_data.hpp"
#include "fields.hpp"
#include "group.hpp"

namespace tallycard {
namespace {

constexpr std::uint8_t private_balance_flag = 0x01;

// Erases an encoder, which has held a secret, when it goes out of scope.
template <class T>
class Erasing {
public:
    Erasing() = default;
    Erasing(const Erasing&) = delete;
    Erasing& operator=(const Erasing&) = delete;
    ~Erasing() { detail::erase({reinterpret_cast<std::uint8_t*>(&value), sizeof value}); }
    T value;
};

template <std::size_t N, class Secret>
Secret take_secret(std::span<const std::uint8_t, N> source)
{
    std::array<std::uint8_t, N> copy;
    std::ranges::copy(source, copy.begin());
    return Secret(copy);
}

}  // namespace

PersonalisationBytes::PersonalisationBytes(std::span<const std::uint8_t> bytes)
    : size_(bytes.size())
{
    TALLYCARD_EXPECTS(bytes.size() <= capacity);
    std::ranges::copy(bytes, bytes_.begin());
}

PersonalisationBytes::PersonalisationBytes(PersonalisationBytes&& other) noexcept
    : bytes_(other.bytes_), size_(other.size_)
{
    detail::erase(other.bytes_);
    other.size_ = 0;
}

PersonalisationBytes Personalisation::encode() const
{
    using Encoder = tlv::Encoder<PersonalisationBytes::capacity>;
    Erasing<Encoder> inner, whole;
    auto& out = inner.value;
    out.field(wire::tag::card_id, card_id.bytes());
    fields::put(out, currency.unit);
    out.number(wire::tag::unit_exponent, 1, currency.exponent);
    out.field(wire::tag::certificate, certificate.bytes());
    out.field(wire::tag::card_scalar, scalar.reveal());
    out.field(wire::tag::operation_key, operation_key.bytes());
    out.field(wire::tag::limits, encode_limits(limits));
    out.number(wire::tag::flags, 1, private_balance ? private_balance_flag : 0u);
    if (pin) out.field(wire::tag::pin_block, pin->reveal());
    whole.value.field(wire::tag::personalisation, out.fields());
    return PersonalisationBytes(whole.value.fields());
}

Result<Personalisation> Personalisation::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::personalisation);
    const auto card_id = fields::bytes<CardId>(in, wire::tag::card_id);
    Currency currency;
    currency.unit = fields::unit(in);
    currency.exponent = static_cast<std::uint8_t>(in.number(wire::tag::unit_exponent, 1));
    const auto certificate = fields::bytes<Certificate>(in, wire::tag::certificate);
    const auto scalar = in.field<CardScalar::size>(wire::tag::card_scalar);
    secrecy::now_secret(scalar);
    const auto operation_key = fields::bytes<PublicKey>(in, wire::tag::operation_key);
    const auto limits = decode_limits(in.field<34>(wire::tag::limits));
    const auto flags = in.number(wire::tag::flags, 1);
    std::optional<PinBlock> pin;
    if (in.next_is(wire::tag::pin_block)) {
        const auto block = in.field<PinBlock::size>(wire::tag::pin_block);
        secrecy::now_secret(block);
        in.require(is_pin_block(block));
        pin = take_secret<PinBlock::size, PinBlock>(block);
    }
    in.require(flags <= private_balance_flag && (flags == 0 || pin) && limits.has_value());
    in.require(is_valid_scalar(scalar));
    in.require(is_valid(certificate) && is_valid(operation_key));
    if (auto done = in.finish("personalisation"); !done) return done.error();
    if (auto done = outer.finish("personalisation"); !done) return done.error();
    return Personalisation{.card_id = card_id,
                           .currency = currency,
                           .certificate = certificate,
                           .scalar = take_secret<CardScalar::size, CardScalar>(scalar),
                           .operation_key = operation_key,
                           .limits = *limits,
                           .private_balance = flags != 0,
                           .pin = std::move(pin)};
}

}  // namespace tallycard
