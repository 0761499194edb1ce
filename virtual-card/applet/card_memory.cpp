// SPDX-License-Identifier: Apache-2.0
#include "card_memory.hpp"

#include <tallycard/pin.hpp>

#include <algorithm>

#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/digest.hpp"
#include "../../src/protocol/group.hpp"
#include "byte_stream.hpp"

namespace tallycard::chip {
namespace {

template <class S>
S zeros()
{
    std::array<std::uint8_t, S::size> bytes{};
    return S(bytes);
}

template <class S>
void read(ByteReader& in, S& secret)
{
    std::array<std::uint8_t, S::size> bytes;
    in.bytes(bytes);
    secret = S(bytes);
}

template <class B>
B fixed(ByteReader& in)
{
    std::array<std::uint8_t, B::size> bytes;
    in.bytes(bytes);
    return B(bytes);
}

Balance balance(ByteReader& in)
{
    const auto n = in.number(8);
    in.require(n <= Balance::largest);
    return Balance::minor_units(in.ok() ? n : 0);
}

Currency currency(ByteReader& in)
{
    const auto unit = Unit::from_code(static_cast<std::uint16_t>(in.number(2)));
    in.require(unit.has_value());
    const auto exponent = static_cast<std::uint8_t>(in.number(1));
    return {.unit = unit.value_or(Unit{}), .exponent = exponent};
}

Limits limits(ByteReader& in)
{
    std::array<std::uint8_t, 34> bytes;
    in.bytes(bytes);
    const auto decoded = decode_limits(bytes);
    in.require(decoded.has_value());
    return decoded.value_or(Limits{});
}

bool flag(ByteReader& in)
{
    const auto n = in.number(1);
    in.require(n <= 1);
    return n == 1;
}

CardState card_state(ByteReader& in)
{
    const auto state = card_state_from_byte(static_cast<std::uint8_t>(in.number(1)));
    in.require(state.has_value());
    return state.value_or(CardState::blank);
}

void write(ByteWriter& out, const OperationBytes& operation)
{
    std::array<std::uint8_t, OperationBytes::capacity> padded{};
    std::ranges::copy(operation.bytes(), padded.begin());
    out.number(1, operation.size());
    out.bytes(padded);
}

OperationBytes operation(ByteReader& in)
{
    const auto size = static_cast<std::size_t>(in.number(1));
    std::array<std::uint8_t, OperationBytes::capacity> padded;
    in.bytes(padded);
    in.require(size <= padded.size());
    if (!in.ok()) return {};
    const OperationBytes bytes{std::span(padded).first(size)};
    in.require(size == 0 || Operation::decode(bytes));
    in.require(std::ranges::all_of(padded.begin() + static_cast<std::ptrdiff_t>(size), padded.end(),
                                   [](std::uint8_t b) { return b == 0; }));
    return bytes;
}

void write(ByteWriter& out, const LogEntry& entry)
{
    write(out, entry.operation);
    out.bytes(entry.issuer_signature.bytes());
    out.number(8, entry.balance.to_minor_units());
    out.bytes(entry.previous_result.bytes());
    out.number(1, static_cast<std::uint8_t>(entry.state));
    out.bytes(entry.signature.bytes());
}

LogEntry log_entry(ByteReader& in)
{
    LogEntry entry;
    entry.operation = operation(in);
    entry.issuer_signature = fixed<Signature>(in);
    entry.balance = balance(in);
    entry.previous_result = fixed<Digest>(in);
    entry.state = card_state(in);
    entry.signature = fixed<Signature>(in);
    in.require(entry.operation.size() == 0 || entry.state != CardState::blank);
    return entry;
}

}  // namespace

CardSecrets::CardSecrets()
    : transport_key(zeros<TransportKey>()),
      scalar(zeros<CardScalar>()),
      nonce_secret(zeros<NonceSecret>()),
      pin(zeros<PinBlock>())
{
}

CardSecrets::CardSecrets(const CardSecrets& other)
    : transport_key(clone(other.transport_key)),
      scalar(clone(other.scalar)),
      nonce_secret(clone(other.nonce_secret)),
      pin(clone(other.pin))
{
}

CardSecrets& CardSecrets::operator=(const CardSecrets& other)
{
    if (this == &other) return *this;
    transport_key = clone(other.transport_key);
    scalar = clone(other.scalar);
    nonce_secret = clone(other.nonce_secret);
    pin = clone(other.pin);
    return *this;
}

ExecutedOperation LogEntry::executed() const
{
    const auto decoded = Operation::decode(operation);
    TALLYCARD_EXPECTS(decoded.has_value());
    if (decoded->kind == Kind::payment) return {*decoded, std::nullopt};
    return {*decoded, issuer_signature};
}

const LogEntry* CardMemory::find(std::uint32_t wanted) const
{
    if (wanted == 0 || wanted > sequence || sequence - wanted >= log_entries) return nullptr;
    const auto& entry = log[wanted % log_entries];
    return entry.operation.size() == 0 ? nullptr : &entry;
}

Receipt CardMemory::receipt(const LogEntry& entry, std::uint32_t its_sequence) const
{
    return {.result = {.card_id = card_id,
                       .sequence = its_sequence,
                       .operation = sha256(entry.operation),
                       .balance = entry.balance,
                       .previous_result = entry.previous_result,
                       .state = entry.state},
            .card_signature = entry.signature};
}

void CardMemory::encode(std::span<std::uint8_t, encoded_size> bytes) const
{
    ByteWriter out(bytes);
    out.number(1, layout_version);
    out.number(1, static_cast<std::uint8_t>(state));
    out.bytes(secrets.transport_key.reveal());
    out.bytes(secrets.scalar.reveal());
    out.bytes(secrets.nonce_secret.reveal());
    out.bytes(secrets.pin.reveal());
    out.number(1, has_pin ? 1 : 0);
    out.number(1, awaits_pin ? 1 : 0);
    out.number(1, pin_tries);
    out.bytes(card_id.bytes());
    out.number(2, currency.unit.code());
    out.number(1, currency.exponent);
    out.bytes(certificate.bytes());
    out.bytes(operation_key.bytes());
    out.bytes(encode_limits(limits));
    out.number(1, private_balance ? 1 : 0);
    out.number(2, offline_payments);
    out.number(8, offline_total.to_minor_units());
    out.number(8, balance.to_minor_units());
    out.number(4, sequence);
    out.bytes(last_result.bytes());
    write(out, request);
    for (const auto& entry : log) write(out, entry);
    TALLYCARD_EXPECTS(out.full());
}

bool CardMemory::decode(std::span<const std::uint8_t, encoded_size> bytes)
{
    ByteReader in(bytes);
    in.require(in.number(1) == layout_version);
    state = card_state(in);
    read(in, secrets.transport_key);
    read(in, secrets.scalar);
    read(in, secrets.nonce_secret);
    read(in, secrets.pin);
    has_pin = flag(in);
    awaits_pin = flag(in);
    in.require(!has_pin || !awaits_pin);
    pin_tries = static_cast<std::uint8_t>(in.number(1));
    in.require(pin_tries <= tallycard::pin_tries);
    card_id = fixed<CardId>(in);
    currency = chip::currency(in);
    certificate = fixed<Certificate>(in);
    operation_key = fixed<PublicKey>(in);
    limits = chip::limits(in);
    private_balance = flag(in);
    offline_payments = static_cast<std::uint16_t>(in.number(2));
    offline_total = chip::balance(in);
    balance = chip::balance(in);
    sequence = static_cast<std::uint32_t>(in.number(4));
    last_result = fixed<Digest>(in);
    request = operation(in);
    for (auto& entry : log) entry = log_entry(in);
    in.require(state == CardState::blank || is_valid_scalar(secrets.scalar.reveal()));
    return in.ok();
}

}  // namespace tallycard::chip
