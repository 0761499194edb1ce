// SPDX-License-Identifier: Apache-2.0
#include <tallycard/entry.hpp>

#include "fields.hpp"

namespace tallycard {
namespace {

Result<Entry> decode_delivered(tlv::Decoder& in, Time time)
{
    auto record = Record::decode(in.element(wire::tag::record));
    if (!record) return record.error();
    const auto terminal = fields::account(in, wire::tag::terminal);
    if (!terminal) return in.finish("entry").error();
    return Entry{time, DeliveredRecord{*record, *terminal}};
}

template <class T>
Result<Entry> decode_one(tlv::Decoder& in, Time time, std::uint8_t tag)
{
    auto what = T::decode(in.element(tag));
    if (!what) return what.error();
    return Entry{time, *what};
}

}  // namespace

bool needs_consent(const Operation& operation)
{
    return operation.kind == Kind::transfer_in && operation.account &&
           *operation.account != holder_account(operation.card_id);
}

bool Record::valid() const
{
    return operation.valid() && receipt.result.valid() &&
           issuer_signature.has_value() == (operation.kind != Kind::payment) &&
           consent.has_value() == needs_consent(operation);
}

Encoded<Record::max_encoded> Record::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.raw(operation.encode());
    if (issuer_signature) out.field(wire::tag::issuer_signature, issuer_signature->bytes());
    if (consent) out.field(wire::tag::owner_signature, consent->bytes());
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
    if (needs_consent(*operation))
        record.consent = fields::bytes<Signature>(in, wire::tag::owner_signature);
    auto result = CardResult::decode(in.element(wire::tag::result));
    if (!result) return result.error();
    record.receipt.result = *result;
    record.receipt.card_signature = fields::bytes<Signature>(in, wire::tag::card_signature);
    if (auto done = in.finish("record"); !done) return done.error();
    if (auto done = outer.finish("record"); !done) return done.error();
    return record;
}

bool AccountRecord::valid() const
{
    return order.valid() && owner_signature.has_value() == needs_owner(order.kind);
}

Encoded<AccountRecord::max_encoded> AccountRecord::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.raw(order.encode());
    if (owner_signature) out.field(wire::tag::owner_signature, owner_signature->bytes());
    out.field(wire::tag::issuer_signature, issuer_signature.bytes());
    return out.in_template(wire::tag::account_record);
}

Result<AccountRecord> AccountRecord::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::account_record);
    auto order = AccountOrder::decode(in.element(wire::tag::account_order));
    if (!order) return order.error();
    AccountRecord record{.order = *order, .owner_signature = {}, .issuer_signature = {}};
    if (needs_owner(order->kind))
        record.owner_signature = fields::bytes<Signature>(in, wire::tag::owner_signature);
    record.issuer_signature = fields::bytes<Signature>(in, wire::tag::issuer_signature);
    if (auto done = in.finish("account record"); !done) return done.error();
    if (auto done = outer.finish("account record"); !done) return done.error();
    return record;
}

Encoded<Gap::max_encoded> Gap::signed_fields() const
{
    tlv::Encoder<max_encoded> out;
    out.number(wire::tag::version, 1, wire::version);
    out.field(wire::tag::card_id, card_id.bytes());
    out.number(wire::tag::sequence, 4, last);
    fields::put(out, balance);
    out.field(wire::tag::result_digest, last_result.bytes());
    return out.fields();
}

Encoded<Gap::max_encoded> Gap::encode() const
{
    tlv::Encoder<max_encoded> out;
    out.raw(signed_fields());
    out.field(wire::tag::issuer_signature, issuer_signature.bytes());
    return out.in_template(wire::tag::gap);
}

Result<Gap> Gap::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::gap);
    fields::version(in);
    Gap gap;
    gap.card_id = fields::bytes<CardId>(in, wire::tag::card_id);
    gap.last = fields::sequence(in);
    gap.balance = fields::balance(in);
    gap.last_result = fields::bytes<Digest>(in, wire::tag::result_digest);
    gap.issuer_signature = fields::bytes<Signature>(in, wire::tag::issuer_signature);
    if (auto done = in.finish("gap"); !done) return done.error();
    if (auto done = outer.finish("gap"); !done) return done.error();
    return gap;
}

bool Entry::valid() const
{
    if (time < Time{} || time > last_time) return false;
    if (const auto* settled = record()) return settled->valid();
    const auto* order = account_record();
    return order == nullptr || order->valid();
}

Encoded<Entry::max_encoded> Entry::encode() const
{
    TALLYCARD_EXPECTS(valid());
    tlv::Encoder<max_encoded> out;
    out.number(wire::tag::time, 8, static_cast<std::uint64_t>(time.time_since_epoch().count()));
    if (const auto* one = delivered()) {
        out.raw(one->record.encode());
        out.field(wire::tag::terminal, one->terminal.bytes());
    }
    if (const auto* one = account_record()) out.raw(one->encode());
    if (const auto* one = gap()) out.raw(one->encode());
    return out.in_template(wire::tag::entry);
}

Result<Entry> Entry::decode(std::span<const std::uint8_t> bytes)
{
    tlv::Decoder outer(bytes);
    auto in = outer.inside(wire::tag::entry);
    const auto count = in.number(wire::tag::time, 8);
    constexpr auto most = static_cast<std::uint64_t>(last_time.time_since_epoch().count());
    in.require(count <= most);
    const Time time{std::chrono::milliseconds(count <= most ? count : 0)};
    auto entry = in.next_is(wire::tag::account_record)
                     ? decode_one<AccountRecord>(in, time, wire::tag::account_record)
                 : in.next_is(wire::tag::gap) ? decode_one<Gap>(in, time, wire::tag::gap)
                                              : decode_delivered(in, time);
    if (!entry) return entry.error();
    if (auto done = in.finish("entry"); !done) return done.error();
    if (auto done = outer.finish("entry"); !done) return done.error();
    return entry;
}

}  // namespace tallycard
