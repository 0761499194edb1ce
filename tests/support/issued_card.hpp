// SPDX-License-Identifier: Apache-2.0
// A card in use, its issuer's operation key, and the operations between them.
#pragma once

#include <utility>

#include <tallycard/instructions.hpp>

#include "../../src/crypto/ed25519.hpp"
#include "../../src/protocol/command_data.hpp"
#include "test_card.hpp"

namespace testing {

using tallycard::Amount;
using tallycard::Balance;
using tallycard::CardState;
using tallycard::Kind;
using tallycard::Operation;

inline constexpr std::uint64_t start_balance = 10'000, maximum_balance = 100'000,
                               maximum_amount = 20'000, pin_above = 5'000, offline_total = 700;
inline constexpr std::uint16_t offline_payments = 3;
inline const Bytes right_pin = from_hex("244711ffffffffff"),
                   wrong_pin = from_hex("244712ffffffffff"), new_pin = from_hex("26080815ffffffff"),
                   no_pin_block = from_hex("141234ffffffffff");

template <class S>
S secret_of(std::uint8_t first)
{
    std::array<std::uint8_t, S::size> bytes{};
    for (auto& b : bytes) b = first++;
    return S(bytes);
}

template <class B>
B public_of(std::uint8_t first)
{
    std::array<std::uint8_t, B::size> bytes{};
    for (auto& b : bytes) b = first++;
    return B(bytes);
}

inline tallycard::KeySeed operation_seed(std::uint8_t which = 0x40)
{
    return secret_of<tallycard::KeySeed>(which);
}

inline tallycard::chip::CardMemory memory_in_use()
{
    tallycard::chip::CardMemory memory;
    memory.state = CardState::operational;
    auto scalar = std::array<std::uint8_t, 32>{1, 2, 3};
    memory.secrets.scalar = tallycard::CardScalar(scalar);
    memory.secrets.nonce_secret = secret_of<tallycard::NonceSecret>(7);
    auto pin = right_pin;
    memory.secrets.pin = tallycard::PinBlock(std::span(pin).first<8>());
    memory.has_pin = true;
    memory.pin_tries = 3;
    memory.card_id = public_of<tallycard::CardId>(0x20);
    memory.currency = {.unit = *tallycard::Unit::from_code(978), .exponent = 2};
    memory.certificate =
        tallycard::Certificate(tallycard::ed25519::public_key(operation_seed(0x60)).bytes());
    memory.operation_key = tallycard::ed25519::public_key(operation_seed());
    memory.limits = {.maximum_balance = Balance::minor_units(maximum_balance),
                     .maximum_amount = Balance::minor_units(maximum_amount),
                     .pin_above = Balance::minor_units(pin_above),
                     .offline_payments = offline_payments,
                     .offline_total = Balance::minor_units(offline_total)};
    memory.balance = Balance::minor_units(start_balance);
    return memory;
}

class IssuedCard : public TestCard {
public:
    explicit IssuedCard(const tallycard::chip::CardMemory& memory = memory_in_use())
        : TestCard(memory)
    {
        select();
    }

    const tallycard::chip::CardMemory& now() const { return nvm.current(); }
    std::uint64_t balance() const { return now().balance.to_minor_units(); }
    tallycard::PublicKey public_key() const
    {
        return tallycard::CardSigner(tallycard::chip::clone(now().secrets.scalar),
                                     tallycard::chip::clone(now().secrets.nonce_secret))
            .public_key();
    }

    // The next operation of this card.
    Operation next(Kind kind, std::int64_t amount = 0, tallycard::Parameter parameter = {})
    {
        Operation operation{.kind = kind,
                            .card_id = now().card_id,
                            .sequence = now().sequence + 1,
                            .amount = Amount::minor_units(amount),
                            .unit = now().currency.unit,
                            .nonce = public_of<tallycard::Nonce>(++nonce_),
                            .account = {},
                            .parameter = std::move(parameter)};
        if (moves_value(kind)) operation.account = shop;
        return operation;
    }
    static Bytes first_instruction(const Operation& operation, std::uint8_t seed = 0x40)
    {
        const auto signature = tallycard::ed25519::sign(
            operation_seed(seed), tallycard::wire::domain::operation, operation.encode());
        return bytes_of(tallycard::FirstInstruction{operation, signature}.encode().bytes());
    }
    Reply execute(const Operation& operation, std::uint8_t seed = 0x40)
    {
        return send(
            command_apdu(tallycard::wire::command::execute, first_instruction(operation, seed), 0));
    }
    Reply execute(Kind kind, std::int64_t amount = 0, tallycard::Parameter parameter = {})
    {
        const auto operation = next(kind, amount, std::move(parameter));
        if (needs_request(kind)) keep_request(operation);
        return execute(operation);
    }
    // As if the card had asked for it, whatever it would say to that.
    void keep_request(const Operation& operation)
    {
        arrange([&](auto& memory) {
            memory.request = tallycard::chip::OperationBytes(operation.encode().bytes());
        });
    }
    Reply pay(std::int64_t amount, std::uint8_t nonce = 0)
    {
        const tallycard::PayData order{Amount::minor_units(amount), now().currency.unit,
                                       public_of<tallycard::Nonce>(nonce != 0 ? nonce : ++nonce_),
                                       shop};
        return send(command_apdu(tallycard::wire::command::pay, order.encode(), 0));
    }
    Reply request(Kind kind, std::int64_t amount)
    {
        const tallycard::RequestData data{Amount::minor_units(amount), now().currency.unit, shop};
        auto header = tallycard::wire::command::request;
        header.p1 = static_cast<std::uint8_t>(kind);
        return send(command_apdu(header, data.encode(), 0));
    }
    // What the platform makes of a request: the operation that it signs.
    static Operation requested(const Reply& reply)
    {
        return tallycard::SecondInstruction::decode(reply.data)->operation;
    }
    Reply verify(const Bytes& block = right_pin)
    {
        return send(command_apdu(tallycard::wire::command::verify, block));
    }
    Reply pin_status() { return send(command_apdu(tallycard::wire::command::verify)); }
    Reply change_pin(Bytes old_block, const Bytes& new_block)
    {
        old_block.insert(old_block.end(), new_block.begin(), new_block.end());
        return send(command_apdu(tallycard::wire::command::change_reference_data, old_block));
    }
    Reply set_pin(const Bytes& new_block)
    {
        return send(command_apdu(tallycard::wire::command::set_pin, new_block));
    }
    Reply log(tallycard::apdu::Header header, std::uint32_t sequence)
    {
        const Bytes data{
            static_cast<std::uint8_t>(sequence >> 24), static_cast<std::uint8_t>(sequence >> 16),
            static_cast<std::uint8_t>(sequence >> 8), static_cast<std::uint8_t>(sequence)};
        return send(command_apdu(header, data, 0));
    }

    tallycard::AccountId shop = *tallycard::AccountId::parse("SHOP-0001");

private:
    std::uint8_t nonce_ = 0;
};

}  // namespace testing
