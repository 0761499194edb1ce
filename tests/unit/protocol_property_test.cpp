// SPDX-License-Identifier: Apache-2.0
// Properties over generated objects: one encoding each, and every flipped bit is noticed.
#include <tallycard/card_info.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/record.hpp>
#include <tallycard/verify.hpp>

#include <random>

#include <catch2/catch.hpp>

#include "../../src/crypto/card_signer.hpp"
#include "../../src/crypto/software_keys.hpp"
#include "../../src/protocol/command_data.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;

namespace {

class Generator {
public:
    explicit Generator(unsigned seed) : engine_(seed) {}

    std::uint64_t number(std::uint64_t largest)
    {
        return std::uniform_int_distribution<std::uint64_t>(0, largest)(engine_);
    }
    template <class T>
    T fixed()
    {
        std::array<std::uint8_t, T::size> bytes;
        for (auto& b : bytes) b = static_cast<std::uint8_t>(number(255));
        return T(bytes);
    }
    Balance balance() { return Balance::minor_units(number(Balance::largest)); }
    AccountId account()
    {
        std::string text(1 + number(33), ' ');
        for (auto& c : text) c = static_cast<char>(0x21 + number(0x7E - 0x21));
        return AccountId::parse(text).value();
    }
    Limits limits()
    {
        return {balance(), balance(), balance(), static_cast<std::uint16_t>(number(15)), balance()};
    }

    Operation operation()
    {
        constexpr Kind kinds[] = {Kind::top_up,          Kind::cash_out,
                                  Kind::transfer_in,     Kind::transfer_out,
                                  Kind::payment,         Kind::set_limits,
                                  Kind::block,           Kind::unblock,
                                  Kind::reset_pin_tries, Kind::replace_operation_key,
                                  Kind::cancel,          Kind::terminate};
        Operation op;
        op.kind = kinds[number(std::size(kinds) - 1)];
        op.card_id = fixed<CardId>();
        op.sequence = static_cast<std::uint32_t>(number(0xFFFFFFFF));
        const auto size = static_cast<std::int64_t>(1 + number(Balance::largest - 1));
        if (is_credit(op.kind)) op.amount = Amount::minor_units(size);
        if (is_debit(op.kind)) op.amount = Amount::minor_units(-size);
        op.unit = *Unit::from_code(
            static_cast<std::uint16_t>(number(1) == 0 ? 1 + number(998) : 0x8000 + number(0x7FFF)));
        op.nonce = fixed<Nonce>();
        if (moves_value(op.kind)) op.account = account();
        if (op.kind == Kind::set_limits) op.parameter = limits();
        if (op.kind == Kind::replace_operation_key)
            op.parameter = SoftwareCardRoot(seed()).public_key();
        return op;
    }

    CardResult result(const Operation& op)
    {
        return {op.card_id, op.sequence,     op.digest(),
                balance(),  fixed<Digest>(), static_cast<CardState>(2 + number(2))};
    }

    KeySeed seed()
    {
        std::array<std::uint8_t, 32> bytes;
        for (auto& b : bytes) b = static_cast<std::uint8_t>(number(255));
        return KeySeed(bytes);
    }

private:
    std::mt19937_64 engine_;
};

template <class T>
void reads_back(const T& object)
{
    const auto bytes = object.encode();
    const auto decoded = T::decode(bytes);
    REQUIRE(decoded);
    CHECK(*decoded == object);
    CHECK(decoded->encode() == bytes);
}

}  // namespace

TEST_CASE("what is encoded decodes to the same value and the same bytes", "[protocol]")
{
    Generator any(1);
    int records = 0;
    for (int i = 0; i < 500; ++i) {
        const auto op = any.operation();
        reads_back(op);
        const FirstInstruction first{op, any.fixed<Signature>()};
        reads_back(first);
        reads_back(SecondInstruction{op, any.fixed<Signature>()});
        const Receipt receipt{any.result(op), any.fixed<Signature>()};
        reads_back(receipt);
        Record record{op, first.issuer_signature, receipt};
        if (op.kind == Kind::payment) record.issuer_signature.reset();
        REQUIRE(record.valid());
        reads_back(record);
        ++records;
        reads_back(StateStatement{op.card_id, op.sequence, op.unit, any.balance(),
                                  any.fixed<Digest>(), CardState::blocked, any.fixed<Challenge>()});
        CardInfo info{CardState::operational,
                      op.card_id,
                      op.sequence,
                      {op.unit, 2},
                      any.balance(),
                      any.fixed<Digest>(),
                      any.fixed<Certificate>()};
        reads_back(info);
        info.balance.reset();
        reads_back(info);
        reads_back(CardInfo{});
    }
    CHECK(records == 500);
}

TEST_CASE("I12: a flipped bit anywhere in a first instruction is refused", "[crypto][I12]")
{
    Generator any(2);
    int flipped = 0, malformed = 0;
    SoftwareOperationSigner issuer(any.seed());
    for (int i = 0; i < 3; ++i) {
        const auto op = any.operation();
        const auto bytes = FirstInstruction{op, *issuer.sign(op)}.encode();
        REQUIRE(verify(*FirstInstruction::decode(bytes), issuer.public_key()));
        for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
            auto broken = bytes_of(bytes.bytes());
            broken[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
            const auto decoded = FirstInstruction::decode(broken);
            if (decoded) CHECK_FALSE(verify(*decoded, issuer.public_key()));
            malformed += !decoded;
            ++flipped;
        }
    }
    CHECK(flipped > 3000);
    CHECK(malformed > 100);
}

TEST_CASE("I17: a signature under one tag verifies under no other", "[crypto][I17]")
{
    Generator any(3);
    auto scalar = any.seed();
    SoftwareCardRoot root(any.seed());
    auto key = root.derive(any.fixed<CardId>());
    REQUIRE(key);
    auto z = bytes_of(any.fixed<Digest>().bytes());
    const CardSigner card(std::move(key->scalar), NonceSecret(std::span(z).first<32>()));
    SoftwareOperationSigner issuer(any.seed());
    const auto op = any.operation();

    const auto asked = *card.sign_request(op);
    CHECK(verify(SecondInstruction{op, asked}, card.public_key()));
    CHECK_FALSE(verify(FirstInstruction{op, asked}, card.public_key()));
    const auto signed_by_issuer = *issuer.sign(op);
    CHECK(verify(FirstInstruction{op, signed_by_issuer}, issuer.public_key()));
    CHECK_FALSE(verify(SecondInstruction{op, signed_by_issuer}, issuer.public_key()));
}
