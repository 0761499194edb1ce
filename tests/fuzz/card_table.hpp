// SPDX-License-Identifier: Apache-2.0
// Commands for the card of tests/support/issued_card.hpp, well formed and signed with the right key
// unless the input says otherwise.
#pragma once

#include "../../src/crypto/seal.hpp"
#include "../support/issued_card.hpp"
#include "input.hpp"

namespace fuzz {

using tallycard::Kind;

// Amounts near every limit of that card, and at the ends of the numbers.
inline std::int64_t amount(Input& input)
{
    constexpr std::int64_t telling[] = {0,      1,      200,    350,    699,       700,      701,
                                        4999,   5000,   5001,   9999,   10'000,    10'001,   19'999,
                                        20'000, 20'001, 90'000, 90'001, 1LL << 62, INT64_MAX};
    const auto which = input.byte();
    if (which < 0x80) return telling[which % std::size(telling)];
    return static_cast<std::int64_t>(input.number(2));
}

inline Kind kind(Input& input)
{
    constexpr Kind all[] = {Kind::top_up,          Kind::cash_out,
                            Kind::transfer_in,     Kind::transfer_out,
                            Kind::payment,         Kind::set_limits,
                            Kind::block,           Kind::unblock,
                            Kind::reset_pin_tries, Kind::replace_operation_key,
                            Kind::cancel,          Kind::terminate,
                            Kind::open_pin};
    return all[input.below(std::size(all))];
}

// The kinds that a card can ask for.
inline Kind requested_kind(Input& input)
{
    constexpr Kind all[] = {Kind::transfer_out, Kind::transfer_in, Kind::cash_out};
    return all[input.below(std::size(all))];
}

inline tallycard::Amount signed_amount(Kind kind, std::int64_t units)
{
    if (tallycard::is_credit(kind))
        return tallycard::Amount::minor_units(std::max<std::int64_t>(units, 1));
    if (tallycard::is_debit(kind))
        return tallycard::Amount::minor_units(-std::max<std::int64_t>(units, 1));
    return {};
}

inline tallycard::AccountId account(Input& input)
{
    return *tallycard::AccountId::parse(input.one_in(4) ? "SHOP-0002" : "SHOP-0001");
}

inline tallycard::Nonce nonce(Input& input)
{
    return testing::public_of<tallycard::Nonce>(input.byte());
}

inline tallycard::Limits limits(Input& input)
{
    const auto balance = [&] {
        return tallycard::Balance::minor_units(static_cast<std::uint64_t>(amount(input)));
    };
    return {.maximum_balance = balance(),
            .maximum_amount = balance(),
            .pin_above = balance(),
            .offline_payments = static_cast<std::uint16_t>(input.below(16)),
            .offline_total = balance()};
}

// The seeds of the operation keys that a card is given here.
inline std::uint8_t key(Input& input)
{
    return static_cast<std::uint8_t>(0x40 + input.below(3));
}

inline tallycard::Operation operation(Input& input, const tallycard::chip::CardMemory& now)
{
    const auto kind = fuzz::kind(input);
    tallycard::Operation operation{.kind = kind,
                                   .card_id = now.card_id,
                                   .sequence = now.sequence + 1,
                                   .amount = signed_amount(kind, amount(input)),
                                   .unit = now.currency.unit,
                                   .nonce = nonce(input),
                                   .account = {},
                                   .parameter = {}};
    const auto difference = input.byte();
    if (difference >= 0xC0) operation.sequence = now.sequence + 0xE0u - difference;
    if (difference == 1) operation.card_id = testing::public_of<tallycard::CardId>(0x21);
    if (difference == 2) operation.unit = *tallycard::Unit::from_code(840);
    if (tallycard::moves_value(kind)) operation.account = account(input);
    if (kind == Kind::set_limits) operation.parameter = limits(input);
    if (kind == Kind::replace_operation_key)
        operation.parameter = tallycard::ed25519::public_key(testing::operation_seed(key(input)));
    // The card's last request.
    const auto kept = tallycard::Operation::decode(now.request);
    return tallycard::needs_request(kind) && kept && difference < 0x80 ? *kept : operation;
}

inline Bytes execute(Input& input, const tallycard::chip::CardMemory& now)
{
    const auto made = operation(input, now);
    const auto seed = input.byte() < 0xE0 ? std::optional<std::uint8_t>() : key(input);
    for (std::uint8_t right = 0x40; right < 0x43; ++right) {
        const auto candidate = tallycard::ed25519::public_key(testing::operation_seed(right));
        if (!seed && candidate == now.operation_key)
            return testing::IssuedCard::first_instruction(made, right);
    }
    return testing::IssuedCard::first_instruction(made, seed.value_or(0x40));
}

inline Bytes personalisation(Input& input)
{
    const auto memory = testing::memory_in_use();
    auto pin = input.one_in(4) ? testing::new_pin : testing::right_pin;
    const auto flags = input.byte();
    tallycard::Personalisation object{
        .card_id = memory.card_id,
        .currency = memory.currency,
        .certificate = memory.certificate,
        .scalar = tallycard::chip::clone(memory.secrets.scalar),
        .operation_key = tallycard::ed25519::public_key(testing::operation_seed(key(input))),
        .limits = (flags & 1) != 0 ? limits(input) : memory.limits,
        .private_balance = (flags & 6) == 2,
        .pin = {}};
    if ((flags & 4) == 0) object.pin = tallycard::PinBlock(std::span(pin).first<8>());
    const auto plain = object.encode();
    Bytes bytes(plain.reveal().begin(), plain.reveal().end());
    if ((flags & 8) != 0) edit(bytes, input);
    if (bytes.size() > tallycard::PersonalisationBytes::capacity) bytes.pop_back();
    const auto key = testing::secret_of<tallycard::TransportKey>((flags & 16) != 0 ? 2 : 1);
    const std::array<std::uint8_t, 12> nonce{};
    return testing::bytes_of(
        tallycard::seal(tallycard::PersonalisationBytes(bytes), key, nonce).bytes());
}

}  // namespace fuzz
