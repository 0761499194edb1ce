// SPDX-License-Identifier: Apache-2.0
// Properties over generated objects: one encoding each, and every flipped bit is noticed.
#include <tallycard/card_info.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/instructions.hpp>
#include <tallycard/verify.hpp>

#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "../../src/crypto/card_signer.hpp"
#include "../../src/crypto/software_keys.hpp"
#include "../../src/protocol/command_data.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;

namespace {

constexpr OrderKind order_kinds[] = {
    OrderKind::open,        OrderKind::pay_in,    OrderKind::pay_out,        OrderKind::move,
    OrderKind::replace_key, OrderKind::close,     OrderKind::adjust,         OrderKind::recover,
    OrderKind::hand_in,     OrderKind::reset_key, OrderKind::recover_holder, OrderKind::write_off};

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
    // One of three times the largest.
    std::size_t size(std::size_t largest)
    {
        return number(2) == 0 ? largest : static_cast<std::size_t>(1 + number(largest - 1));
    }
    AccountId account()
    {
        std::string text(size(AccountId::max_size), ' ');
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

    Record record(const Operation& op)
    {
        Record record{op, fixed<Signature>(), {result(op), fixed<Signature>()}};
        if (op.kind == Kind::payment) record.issuer_signature.reset();
        if (needs_consent(op)) record.consent = fixed<Signature>();
        return record;
    }
    // A transfer in once in two times; now and then from the card's own holder account.
    Operation value_operation()
    {
        auto op = operation();
        if (number(1) == 0) return op;
        op.kind = Kind::transfer_in;
        op.amount = Amount::minor_units(static_cast<std::int64_t>(1 + number(1000)));
        op.account = number(2) == 0 ? holder_account(op.card_id) : account();
        op.parameter = {};
        return op;
    }

    Reference reference()
    {
        constexpr std::string_view characters[] = {" ", "~", "é", "東", "☕", "👩"};
        const auto wanted = size(Reference::max_size);
        std::string text;
        while (text.size() < wanted) {
            const auto next = characters[number(std::size(characters) - 1)];
            text += text.size() + next.size() <= wanted ? next : "x";
        }
        return Reference::parse(text).value();
    }
    AccountOrder order(OrderKind kind)
    {
        AccountOrder order{.kind = kind,
                           .account = account(),
                           .number = static_cast<std::uint32_t>(number(0xFFFFFFFF)),
                           .amount = {},
                           .unit = Unit::from_code(978).value(),
                           .id = fixed<OperationId>()};
        if (names_card(kind)) order.other = AccountId::parse(fixed<CardId>().to_string());
        if (names_outside(kind) || kind == OrderKind::move) order.other = account();
        if (sets_key(kind)) order.key = SoftwareAccountSigner(seed()).public_key();
        if (needs_reference(kind) || number(1) == 0) order.reference = reference();
        const auto size = static_cast<std::int64_t>(1 + number(Balance::largest - 1));
        const auto either = number(1) == 0 ? size : -size;
        for (const auto units : {either, -either, std::int64_t{0}}) {
            order.amount = Amount::minor_units(units);
            if (order.valid()) break;
        }
        return order;
    }
    AccountRecord account_record(OrderKind kind)
    {
        AccountRecord record{order(kind), {}, fixed<Signature>()};
        if (needs_owner(kind)) record.owner_signature = fixed<Signature>();
        return record;
    }
    Gap gap()
    {
        return {fixed<CardId>(), static_cast<std::uint32_t>(number(0xFFFFFFFF)), balance(),
                fixed<Digest>(), fixed<Signature>()};
    }
    Time time()
    {
        const auto last = static_cast<std::uint64_t>(last_time.time_since_epoch().count());
        return Time(std::chrono::milliseconds(number(last)));
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

// Returns how long it is.
template <class T>
std::size_t reads_back(const T& object)
{
    const auto bytes = object.encode();
    const auto decoded = T::decode(bytes);
    REQUIRE(decoded);
    CHECK(*decoded == object);
    CHECK(decoded->encode() == bytes);
    return bytes.size();
}

// A cut object is refused; a flipped bit makes it malformed, or another value that has just these
// bytes. Counts both.
struct Damage {
    int malformed = 0, another = 0;

    template <class T>
    void check(const T& object)
    {
        const auto bytes = bytes_of(object.encode().bytes());
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto decoded = T::decode(std::span(bytes).first(size));
            REQUIRE_FALSE(decoded);
            REQUIRE(decoded.error().code == Errc::malformed);
        }
        for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
            auto broken = bytes;
            broken[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
            const auto decoded = T::decode(broken);
            ++(decoded ? another : malformed);
            if (!decoded) {
                REQUIRE(decoded.error().code == Errc::malformed);
                continue;
            }
            REQUIRE_FALSE(*decoded == object);
            REQUIRE(bytes_of(decoded->encode().bytes()) == broken);
        }
    }
};

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
        reads_back(any.record(op));
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

TEST_CASE("what the ledger keeps decodes to the same value and the same bytes", "[protocol]")
{
    Generator any(4);
    std::size_t order = 0, account_record = 0, record = 0, gap = 0, entry = 0;
    int with_consent = 0, own_account = 0;
    const auto note = [](std::size_t& largest, std::size_t size) {
        largest = std::max(largest, size);
    };
    for (std::size_t i = 0; i < 1200; ++i) {
        const auto op = any.value_operation();
        const auto settled = any.record(op);
        with_consent += settled.consent.has_value();
        own_account += op.kind == Kind::transfer_in && !needs_consent(op);
        const auto executed = any.account_record(order_kinds[i % std::size(order_kinds)]);
        const auto missing = any.gap();
        note(order, reads_back(executed.order));
        note(account_record, reads_back(executed));
        note(record, reads_back(settled));
        note(gap, reads_back(missing));
        note(entry, reads_back(Entry{any.time(), DeliveredRecord{settled, any.account()}}));
        reads_back(Entry{any.time(), executed});
        reads_back(Entry{any.time(), missing});
    }
    CHECK(with_consent > 300);
    CHECK(own_account > 100);
    CHECK(order == AccountOrder::max_encoded);
    CHECK(account_record == AccountRecord::max_encoded);
    CHECK(record == Record::max_encoded);
    CHECK(gap == Gap::max_encoded);
    CHECK(entry == Entry::max_encoded);
}

TEST_CASE("a cut or a flipped bit makes what the ledger keeps malformed, or another value",
          "[protocol]")
{
    Generator any(5);
    Damage damage;
    for (const auto kind : order_kinds) {
        const auto executed = any.account_record(kind);
        damage.check(executed.order);
        damage.check(executed);
        damage.check(Entry{any.time(), executed});
    }
    for (int i = 0; i < 8; ++i) {
        const auto settled = any.record(any.value_operation());
        damage.check(settled);
        damage.check(Entry{any.time(), DeliveredRecord{settled, any.account()}});
    }
    const auto missing = any.gap();
    damage.check(missing);
    damage.check(Entry{any.time(), missing});
    CHECK(damage.malformed > 10000);
    CHECK(damage.another > 50000);
}

TEST_CASE("I12: a flipped bit anywhere in an account record or a gap is refused", "[crypto][I12]")
{
    Generator any(6);
    SoftwareOperationSigner issuer(any.seed());
    int taken = 0;
    const auto check = [&]<class T>(const T& object) {
        REQUIRE(verify(object, issuer.public_key()));
        const auto bytes = object.encode();
        for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
            auto broken = bytes_of(bytes.bytes());
            broken[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
            const auto decoded = T::decode(broken);
            if (decoded) CHECK_FALSE(verify(*decoded, issuer.public_key()));
            taken += decoded.has_value();
        }
    };
    for (const auto kind : {OrderKind::pay_out, OrderKind::adjust}) {
        auto record = any.account_record(kind);
        record.issuer_signature = issuer.sign(record.order, record.owner_signature).value();
        check(record);
    }
    auto gap = any.gap();
    gap.issuer_signature = issuer.sign(gap).value();
    check(gap);
    CHECK(taken > 2000);
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

    SoftwareAccountSigner owner(any.seed());
    const auto asked_of_owner = any.value_operation();
    const auto order = any.order(OrderKind::close);
    const auto consent = *owner.consent(root.public_key(), asked_of_owner);
    const auto word = *owner.sign(root.public_key(), order);
    CHECK(verify_consent(asked_of_owner, consent, root.public_key(), owner.public_key()));
    CHECK(verify_owner(order, word, root.public_key(), owner.public_key()));
    CHECK_FALSE(verify(FirstInstruction{asked_of_owner, consent}, owner.public_key()));
    CHECK_FALSE(verify(AccountRecord{order, word, word}, owner.public_key()));
}
