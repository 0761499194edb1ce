// SPDX-License-Identifier: Apache-2.0
#include "command_data.hpp"

#include "fields.hpp"

namespace tallycard {
namespace {

constexpr std::size_t count_at = 24, total_at = 26;  // in field 92

std::uint64_t get(std::span<const std::uint8_t> bytes)
{
    std::uint64_t n = 0;
    for (const auto b : bytes) n = n << 8 | b;
    return n;
}

void put(std::span<std::uint8_t> out, std::uint64_t n)
{
    for (std::size_t i = out.size(); i-- > 0; n >>= 8) out[i] = static_cast<std::uint8_t>(n);
}

}  // namespace

Encoded<52> RequestData::encode() const
{
    tlv::Encoder<52> out;
    fields::put(out, amount);
    fields::put(out, unit);
    out.field(wire::tag::account, account.bytes());
    return out.fields();
}

Result<RequestData> RequestData::decode(std::span<const std::uint8_t> bytes, Kind kind)
{
    TALLYCARD_EXPECTS(needs_request(kind));
    tlv::Decoder in(bytes);
    const auto amount = fields::amount(in);
    const auto unit = fields::unit(in);
    const auto account = fields::account(in);
    in.require(sign_fits(kind, amount));
    if (auto done = in.finish("REQUEST"); !done) return done.error();
    return RequestData{amount, unit, *account};
}

Encoded<70> PayData::encode() const
{
    tlv::Encoder<70> out;
    fields::put(out, amount);
    fields::put(out, unit);
    out.field(wire::tag::nonce, nonce.bytes());
    out.field(wire::tag::account, payee.bytes());
    return out.fields();
}

Result<PayData> PayData::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder in(bytes);
    const auto amount = fields::amount(in);
    const auto unit = fields::unit(in);
    const auto nonce = fields::bytes<Nonce>(in, wire::tag::nonce);
    const auto payee = fields::account(in);
    in.require(sign_fits(Kind::payment, amount));
    if (auto done = in.finish("PAY"); !done) return done.error();
    return PayData{amount, unit, nonce, *payee};
}

std::array<std::uint8_t, 34> encode_limits(const Limits& limits)
{
    std::array<std::uint8_t, 34> bytes{};
    const std::span out(bytes);
    put(out.subspan(0, 8), limits.maximum_balance.to_minor_units());
    put(out.subspan(8, 8), limits.maximum_amount.to_minor_units());
    put(out.subspan(16, 8), limits.pin_above.to_minor_units());
    put(out.subspan(count_at, 2), limits.offline_payments);
    put(out.subspan(total_at, 8), limits.offline_total.to_minor_units());
    return bytes;
}

std::optional<Limits> decode_limits(std::span<const std::uint8_t, 34> bytes)
{
    for (const std::size_t at : {std::size_t{0}, std::size_t{8}, std::size_t{16}, total_at})
        if (bytes[at] > 0x7F) return std::nullopt;
    const auto amount = [&](std::size_t at) {
        return Balance::minor_units(get(bytes.subspan(at, 8)));
    };
    const Limits limits{
        .maximum_balance = amount(0),
        .maximum_amount = amount(8),
        .pin_above = amount(16),
        .offline_payments = static_cast<std::uint16_t>(get(bytes.subspan(count_at, 2))),
        .offline_total = amount(total_at)};
    if (!limits.valid()) return std::nullopt;
    return limits;
}

Encoded<52> encode_limits_use(const LimitsUse& use)
{
    tlv::Encoder<52> out;
    out.field(wire::tag::limits, encode_limits(use.limits));
    out.number(wire::tag::sequence, 4, use.offline_payments);
    fields::put(out, use.offline_total);
    return out.fields();
}

Result<LimitsUse> decode_limits_use(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder in(bytes);
    const auto limits = decode_limits(in.field<34>(wire::tag::limits));
    in.require(limits.has_value());
    LimitsUse use;
    use.limits = limits.value_or(Limits{});
    use.offline_payments = fields::sequence(in);
    use.offline_total = fields::balance(in);
    if (auto done = in.finish("GET DATA"); !done) return done.error();
    return use;
}

}  // namespace tallycard
