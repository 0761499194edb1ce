// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <limits>

#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

constexpr auto largest = std::numeric_limits<std::int64_t>::max();

Limits wide_limits()
{
    return {.maximum_balance = Balance::minor_units(Balance::largest),
            .maximum_amount = Balance::minor_units(Balance::largest),
            .pin_above = Balance::minor_units(Balance::largest),
            .offline_payments = 15,
            .offline_total = Balance::minor_units(Balance::largest)};
}

chip::CardMemory wide_memory(std::uint64_t balance)
{
    auto memory = memory_in_use();
    memory.limits = wide_limits();
    memory.balance = Balance::minor_units(balance);
    return memory;
}

}  // namespace

TEST_CASE("the balance stays between zero and 2^63−1", "[applet][value]")
{
    IssuedCard full(wide_memory(Balance::largest));
    CHECK(full.execute(Kind::top_up, 1).sw == 0x9402);
    CHECK(full.execute(Kind::top_up, largest).sw == 0x9402);
    CHECK(full.execute(Kind::cash_out, -largest).sw == 0x9000);
    CHECK(full.balance() == 0);
    CHECK(full.execute(Kind::cash_out, -1).sw == 0x9401);
    CHECK(full.pay(-1).sw == 0x9401);
    CHECK(full.request(Kind::transfer_out, -1).sw == 0x9401);
    CHECK(full.execute(Kind::top_up, largest).sw == 0x9000);
    CHECK(full.balance() == Balance::largest);
    CHECK(full.request(Kind::transfer_in, 1).sw == 0x9402);
    CHECK(full.pay(-largest).sw == 0x9000);
    CHECK(full.balance() == 0);
}

TEST_CASE("each limit holds to the last minor unit", "[applet][value]")
{
    IssuedCard card;
    CHECK(card.execute(Kind::top_up, 20'001).sw == 0x9403);
    CHECK(card.execute(Kind::top_up, 20'000).sw == 0x9000);
    CHECK(card.execute(Kind::cash_out, -5001).sw == 0x6982);
    CHECK(card.execute(Kind::cash_out, -5000).sw == 0x9000);
    card.arrange([](chip::CardMemory& m) { m.balance = Balance::minor_units(99'999); });
    CHECK(card.execute(Kind::top_up, 2).sw == 0x9402);
    CHECK(card.execute(Kind::top_up, 1).sw == 0x9000);
    CHECK(card.balance() == maximum_balance);
    card.verify();
    CHECK(card.execute(Kind::cash_out, -20'001).sw == 0x9403);
    CHECK(card.execute(Kind::cash_out, -20'000).sw == 0x9000);
}

TEST_CASE("new limits are in force at once, below the balance too", "[applet][value]")
{
    IssuedCard card;
    auto limits = wide_limits();
    limits.maximum_balance = Balance::minor_units(5);
    limits.pin_above = Balance::minor_units(7);
    CHECK(card.execute(Kind::set_limits, 0, limits).sw == 0x9000);
    CHECK(card.now().limits == limits);
    CHECK(card.execute(Kind::top_up, 1).sw == 0x9402);
    CHECK(card.execute(Kind::cash_out, -8).sw == 0x6982);
    CHECK(card.execute(Kind::cash_out, -7).sw == 0x9000);
}

TEST_CASE("offline payments are counted, limited, and zeroed by any EXECUTE", "[applet][value]")
{
    IssuedCard card;
    for (const auto kind : {Kind::top_up, Kind::cancel}) {
        CHECK(card.pay(-100).sw == 0x9000);
        CHECK(card.pay(-601).sw == 0x9407);  // 701 in all
        CHECK(card.pay(-600).sw == 0x9000);
        CHECK(card.now().offline_payments == 2);
        CHECK(card.now().offline_total == Balance::minor_units(700));
        CHECK(card.pay(-1).sw == 0x9407);
        CHECK(card.execute(kind, kind == Kind::top_up ? 1 : 0).sw == 0x9000);
        CHECK(card.now().offline_payments == 0);
        CHECK(card.now().offline_total == Balance{});
    }
    for (int i = 0; i < 3; ++i) CHECK(card.pay(-1).sw == 0x9000);
    CHECK(card.pay(-1).sw == 0x9407);
}

TEST_CASE("only the last executed operation is a payment that can be asked for again",
          "[applet][value]")
{
    IssuedCard card;
    const auto first = card.pay(-10, 0x51);
    const auto before = card.memory();
    CHECK(card.pay(-10, 0x51).data == first.data);
    CHECK(card.memory() == before);
    CHECK(card.now().sequence == 1);

    CHECK(card.pay(-11, 0x51).sw == 0x9000);  // another amount: another payment
    CHECK(card.pay(-10, 0x51).sw == 0x9000);  // no longer the last: a new one
    CHECK(card.now().sequence == 3);
    card.execute(Kind::cancel);
    CHECK(card.pay(-10, 0x51).sw == 0x9000);
    CHECK(card.now().sequence == 5);
    CHECK(card.balance() == start_balance - 41);
}

TEST_CASE("a payment again needs neither PIN nor room in the limits", "[applet][value]")
{
    IssuedCard card;
    card.arrange([](chip::CardMemory& m) { m.limits.offline_total = Balance::minor_units(9000); });
    card.verify();
    const auto first = card.pay(-9000, 0x51);
    REQUIRE(first.sw == 0x9000);
    CHECK(card.pin_status().sw == 0x63C3);
    CHECK(card.pay(-9000, 0x51).data == first.data);
    card.arrange([](chip::CardMemory& m) {
        m.sequence = 0xFFFFFFFF;
        m.log[15] = m.log[1];
    });
    CHECK(card.pay(-9000, 0x51).sw == 0x9000);
    CHECK(card.pay(-1).sw == 0x6985);
    CHECK(card.request(Kind::transfer_in, 1).sw == 0x6985);
}

TEST_CASE("after sequence FFFFFFFF nothing executes", "[applet][value]")
{
    auto memory = memory_in_use();
    memory.sequence = 0xFFFFFFFE;
    IssuedCard card(memory);
    const auto last = card.next(Kind::top_up, 1);
    CHECK(card.execute(last).sw == 0x9000);
    CHECK(card.now().sequence == 0xFFFFFFFF);
    const auto before = card.memory();
    for (const auto sequence : {0u, 1u, 0xFFFFFFFEu, 0xFFFFFFFFu}) {
        auto operation = card.next(Kind::top_up, 2);
        operation.sequence = sequence;
        CHECK(card.execute(operation).sw == 0x9404);
    }
    CHECK(card.execute(last).sw == 0x9000);  // its result again
    CHECK(card.memory() == before);
}

TEST_CASE("a request is kept until it is replaced or any operation executes", "[applet][value]")
{
    IssuedCard card;
    const auto first = card.request(Kind::transfer_in, 50);
    const auto again = card.request(Kind::transfer_in, 50);
    CHECK(IssuedCard::requested(first) == IssuedCard::requested(again));
    CHECK(first.data != again.data);  // signed afresh
    const auto second = card.request(Kind::transfer_in, 51);
    CHECK(card.execute(IssuedCard::requested(first)).sw == 0x9408);
    CHECK(card.execute(IssuedCard::requested(second)).sw == 0x9000);
    CHECK(card.balance() == start_balance + 51);
    CHECK(card.now().request.size() == 0);

    const auto third = card.request(Kind::transfer_out, -5);
    card.applet.power_on();
    card.select();
    CHECK(IssuedCard::requested(card.request(Kind::transfer_out, -5)) ==
          IssuedCard::requested(third));
    card.pay(-1);
    CHECK(card.now().request.size() == 0);
    auto late = IssuedCard::requested(third);
    CHECK(card.execute(late).sw == 0x9404);
    late.sequence += 1;
    CHECK(card.execute(late).sw == 0x9408);
}

TEST_CASE("a void uses the sequence up", "[applet][value]")
{
    IssuedCard card;
    const auto pending = card.next(Kind::top_up, 100);
    const auto cancelled = card.execute(Kind::cancel);
    CHECK(cancelled.sw == 0x9000);
    CHECK(card.execute(pending).sw == 0x9404);
    CHECK(card.balance() == start_balance);
}

TEST_CASE("the replaced operation key signs nothing more", "[applet][value]")
{
    IssuedCard card;
    const auto key = ed25519::public_key(operation_seed(0x41));
    auto wrong = card.next(Kind::replace_operation_key, 0, key);
    CHECK(card.execute(wrong, 0x41).sw == 0x6988);
    CHECK(card.execute(wrong).sw == 0x9000);
    CHECK(card.execute(Kind::top_up, 1).sw == 0x6988);
    CHECK(card.execute(card.next(Kind::top_up, 1), 0x41).sw == 0x9000);
}

TEST_CASE("results form a chain that verifies under the card's key", "[applet][value]")
{
    IssuedCard card;
    const auto key = card.public_key();
    Digest previous;
    std::uint64_t balance = start_balance;
    for (const std::int64_t amount : {500, -200, 300}) {
        const auto kind = amount > 0 ? Kind::top_up : Kind::cash_out;
        const auto operation = card.next(kind, amount);
        if (needs_request(kind)) card.keep_request(operation);
        const auto receipt = Receipt::decode(card.execute(operation).data);
        REQUIRE(receipt);
        balance += static_cast<std::uint64_t>(amount);
        CHECK(receipt->result.operation == operation.digest());
        CHECK(receipt->result.balance.to_minor_units() == balance);
        CHECK(receipt->result.previous_result == previous);
        CHECK(ed25519::verify(receipt->card_signature, wire::domain::result,
                              receipt->result.encode(), key));
        previous = receipt->result.digest();
        CHECK(card.now().last_result == previous);
    }
}
