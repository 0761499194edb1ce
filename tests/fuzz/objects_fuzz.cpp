// SPDX-License-Identifier: Apache-2.0
// Bytes as each object of the protocol. What is accepted has one encoding, and it is these bytes;
// what is not is malformed, at a place inside. The first byte says which object it is.
#include <algorithm>
#include <array>
#include <iterator>

#include <tallycard/account_order.hpp>
#include <tallycard/card_info.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/state_statement.hpp>

#include "../../src/protocol/command_data.hpp"
#include "../../src/protocol/personalisation.hpp"
#include "fuzz.hpp"
#include "input.hpp"

using namespace tallycard;

namespace {

using Given = std::span<const std::uint8_t>;

void check_refused(const Error& error, Given bytes)
{
    FUZZ_CHECK(error.code == Errc::malformed && error.effect == Effect::none);
    FUZZ_CHECK(error.detail <= bytes.size());
}

void check_same(Given encoded, Given bytes)
{
    FUZZ_CHECK(std::ranges::equal(encoded, bytes));
}

// An object with encode(), decode() and ==. A value that is equal has to be encoded equal.
template <class Object>
void object(Given bytes)
{
    const auto decoded = Object::decode(bytes);
    if (!decoded) return check_refused(decoded.error(), bytes);
    const auto encoded = decoded->encode();
    check_same(encoded, bytes);
    const auto again = Object::decode(encoded);
    FUZZ_CHECK(again && *again == *decoded);
}

void operation(Given bytes)
{
    object<Operation>(bytes);
    const auto decoded = Operation::decode(bytes);
    if (!decoded) return;
    FUZZ_CHECK(decoded->valid() && sign_fits(decoded->kind, decoded->amount));
    FUZZ_CHECK(decoded->account.has_value() == moves_value(decoded->kind));
    auto other = *decoded;
    ++other.sequence;
    FUZZ_CHECK(other.digest() != decoded->digest());
}

// A payment alone, and anything else with 9D: one of the two readings, never both.
void executed(Given bytes)
{
    object<ExecutedOperation>(bytes);
    const auto alone = Operation::decode(bytes);
    const auto first = FirstInstruction::decode(bytes);
    const bool is_payment = alone && alone->kind == Kind::payment;
    const bool is_signed = first && first->operation.kind != Kind::payment;
    const auto decoded = ExecutedOperation::decode(bytes);
    FUZZ_CHECK(decoded.has_value() == (is_payment || is_signed));
    if (!decoded) return;
    FUZZ_CHECK(decoded->valid() && decoded->issuer_signature.has_value() == is_signed);
    FUZZ_CHECK(decoded->operation == (is_payment ? *alone : first->operation));
    FUZZ_CHECK(is_payment || decoded->issuer_signature == first->issuer_signature);
}

void card_result(Given bytes)
{
    object<CardResult>(bytes);
    const auto decoded = CardResult::decode(bytes);
    if (!decoded) return;
    FUZZ_CHECK(decoded->valid() && decoded->state != CardState::blank);
    auto other = *decoded;
    ++other.sequence;
    FUZZ_CHECK(other.digest() != decoded->digest());
}

void record(Given bytes)
{
    object<Record>(bytes);
    const auto decoded = Record::decode(bytes);
    if (!decoded) return;
    FUZZ_CHECK(decoded->valid());
    FUZZ_CHECK(decoded->consent.has_value() == needs_consent(decoded->operation));
}

void account_order(Given bytes)
{
    object<AccountOrder>(bytes);
    const auto decoded = AccountOrder::decode(bytes);
    if (!decoded) return;
    FUZZ_CHECK(decoded->valid() && decoded->key.has_value() == sets_key(decoded->kind));
    FUZZ_CHECK(order_kind_from_name(name(decoded->kind)) == decoded->kind);
    FUZZ_CHECK(decoded->reference || !needs_reference(decoded->kind));
    if (names_card(decoded->kind))
        FUZZ_CHECK(decoded->card().to_string() == decoded->other->text());
}

void account_record(Given bytes)
{
    object<AccountRecord>(bytes);
    const auto decoded = AccountRecord::decode(bytes);
    if (!decoded) return;
    FUZZ_CHECK(decoded->valid());
    FUZZ_CHECK(decoded->owner_signature.has_value() == needs_owner(decoded->order.kind));
}

void gap(Given bytes)
{
    object<Gap>(bytes);
    const auto decoded = Gap::decode(bytes);
    if (!decoded) return;
    // The signed bytes are in it as they are, behind the template's header.
    const auto covered = decoded->signed_fields();
    check_same(covered, bytes.subspan(3, covered.size()));
}

// One of three, each as it would be alone.
void entry(Given bytes)
{
    object<Entry>(bytes);
    const auto decoded = Entry::decode(bytes);
    if (!decoded) return;
    FUZZ_CHECK(decoded->valid() && decoded->time >= Time{} && decoded->time <= last_time);
    const auto* settled = decoded->record();
    const auto* executed = decoded->account_record();
    const auto* missing = decoded->gap();
    FUZZ_CHECK((settled != nullptr) + (executed != nullptr) + (missing != nullptr) == 1);
    if (settled) object<Record>(settled->encode());
    if (executed) object<AccountRecord>(executed->encode());
    if (missing) object<Gap>(missing->encode());
}

void personalisation(Given bytes)
{
    const auto decoded = Personalisation::decode(bytes);
    if (!decoded) return check_refused(decoded.error(), bytes);
    auto moved = decoded->encode();
    const auto encoded = std::move(moved);
    check_same(encoded.reveal(), bytes);
    FUZZ_CHECK(!decoded->private_balance || decoded->pin);
}

void request(Given bytes)
{
    if (bytes.empty()) return;
    constexpr Kind kinds[] = {Kind::transfer_in, Kind::transfer_out, Kind::cash_out};
    const auto kind = kinds[bytes[0] % std::size(kinds)];
    const auto decoded = RequestData::decode(bytes.subspan(1), kind);
    if (!decoded) return check_refused(decoded.error(), bytes);
    check_same(decoded->encode(), bytes.subspan(1));
    FUZZ_CHECK(sign_fits(kind, decoded->amount));
}

void payment(Given bytes)
{
    const auto decoded = PayData::decode(bytes);
    if (!decoded) return check_refused(decoded.error(), bytes);
    check_same(decoded->encode(), bytes);
    FUZZ_CHECK(decoded->amount < Amount{});
}

void limits_use(Given bytes)
{
    const auto decoded = decode_limits_use(bytes);
    if (!decoded) return check_refused(decoded.error(), bytes);
    check_same(encode_limits_use(*decoded), bytes);
    FUZZ_CHECK(decoded->limits.valid());
}

constexpr std::array all = {operation,
                            card_result,
                            object<StateStatement>,
                            personalisation,
                            object<CardInfo>,
                            record,
                            object<FirstInstruction>,
                            object<SecondInstruction>,
                            object<Receipt>,
                            request,
                            payment,
                            limits_use,
                            executed,
                            account_order,
                            account_record,
                            gap,
                            entry};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    const auto which = input.below(all.size());
    all[which](input.rest());
    return 0;
}
