// SPDX-License-Identifier: Apache-2.0
// CardSession and value: what is sent, and which receipts are believed. The card answers what the
// test wants.
#include <catch2/catch.hpp>

#include "support/card_table.hpp"
#include "support/faulty_link.hpp"

using namespace tallycard;
using namespace testing;

namespace {

constexpr std::uint8_t execute_ins = 0x32, pay_ins = 0x34, log_ins = 0x36, request_ins = 0x30;

Operation payment_of(const PaperCard& card, const PaymentOrder& order)
{
    return {.kind = Kind::payment,
            .card_id = card.card_id,
            .sequence = card.info.sequence + 1,
            .amount = order.amount,
            .unit = order.unit,
            .nonce = order.nonce,
            .account = order.payee,
            .parameter = {}};
}

}  // namespace

TEST_CASE("execute returns the receipt of what was sent", "[card]")
{
    CardTable table;
    const auto operation = table.card.top_up();
    const auto receipt = table.card.receipt_of(operation);
    table.card.put(execute_ins, receipt.encode());
    const auto answer = table.session.execute(first_of(operation));
    REQUIRE(answer);
    CHECK(*answer == receipt);
}

TEST_CASE("a receipt that is genuine and not of what was sent is in doubt", "[card]")
{
    CardTable table;
    const auto operation = table.card.top_up();
    auto other = operation;
    SECTION("another sequence")
    {
        other.sequence += 1;
    }
    SECTION("another operation")
    {
        other.amount = Amount::minor_units(99);
    }
    SECTION("another card id")
    {
        other.card_id = bytes_value<CardId>(0x77);
    }
    table.card.put(execute_ins, table.card.receipt_of(other).encode());
    const auto answer = table.session.execute(first_of(operation));
    REQUIRE(!answer);
    check_doubt(answer.error(), Errc::bad_signature);
}

TEST_CASE("any flipped bit of a receipt is refused, in doubt", "[card]")
{
    CardTable table;
    const auto operation = table.card.top_up();
    const auto good = bytes_of(table.card.receipt_of(operation).encode().bytes());
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
        auto bad = good;
        bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ 1u << bit % 8);
        table.card.put(execute_ins, bad);
        const auto answer = table.session.execute(first_of(operation));
        if (!answer && answer.error().effect == Effect::unknown) ++refused;
    }
    CHECK(refused == 8 * good.size());
}

TEST_CASE("a receipt cut short anywhere is refused, in doubt", "[card]")
{
    CardTable table;
    const auto operation = table.card.top_up();
    const auto good = bytes_of(table.card.receipt_of(operation).encode().bytes());
    std::size_t refused = 0;
    for (std::size_t size = 0; size < good.size(); ++size) {
        table.card.put(execute_ins, std::span(good).first(size));
        const auto answer = table.session.execute(first_of(operation));
        if (!answer && answer.error().effect == Effect::unknown) ++refused;
    }
    CHECK(refused == good.size());
}

TEST_CASE("pay rebuilds the payment and accepts its receipt only", "[card]")
{
    CardTable table;
    const auto order = order_of(table.card);
    auto payment = payment_of(table.card, order);
    table.card.put(pay_ins, table.card.receipt_of(payment).encode());
    CHECK(table.session.pay(order));

    auto cheaper = payment;
    cheaper.amount = Amount::minor_units(-1);
    table.card.put(pay_ins, table.card.receipt_of(cheaper).encode());
    check_doubt(table.session.pay(order).error(), Errc::bad_signature);

    payment.account = *AccountId::parse(std::string_view("SHOP-2"));
    table.card.put(pay_ins, table.card.receipt_of(payment).encode());
    check_doubt(table.session.pay(order).error(), Errc::bad_signature);
}

TEST_CASE("a payment that would add to the card is not even sent", "[card]")
{
    CardTable table;
    auto order = order_of(table.card);
    for (const auto units : {0, 1, 1230}) {
        order.amount = Amount::minor_units(units);
        const auto answer = table.session.pay(order);
        REQUIRE(!answer);
        CHECK(answer.error().code == Errc::bad_amount);
        CHECK(answer.error().effect == Effect::none);
    }
    CHECK(table.link.transmitted == 1);
}

TEST_CASE("the second instruction is the one that was asked for", "[card]")
{
    CardTable table;
    auto operation = table.card.top_up();
    operation.kind = Kind::transfer_out;
    operation.amount = Amount::minor_units(-500);
    operation.account = payee;
    const auto ask = [&] {
        return table.session.request(Kind::transfer_out, Amount::minor_units(-500),
                                     table.card.info.currency.unit, payee);
    };
    const auto answer_with = [&](const Operation& given) {
        const SecondInstruction second{
            .operation = given, .card_signature = table.card.signer.sign_request(given).value()};
        table.card.put(request_ins, second.encode());
    };
    answer_with(operation);
    const auto second = ask();
    REQUIRE(second);
    CHECK(second->operation == operation);

    SECTION("another amount")
    {
        operation.amount = Amount::minor_units(-501);
    }
    SECTION("another account")
    {
        operation.account = *AccountId::parse(std::string_view("X"));
    }
    SECTION("another card")
    {
        operation.card_id = bytes_value<CardId>(0x78);
    }
    SECTION("another unit")
    {
        operation.unit = *Unit::from_code(156);
    }
    SECTION("another kind")
    {
        operation.kind = Kind::transfer_in;
        operation.amount = Amount::minor_units(500);
    }
    answer_with(operation);
    const auto wrong = ask();
    REQUIRE(!wrong);
    CHECK(wrong.error().code == Errc::bad_signature);
    CHECK(wrong.error().effect == Effect::none);
}

TEST_CASE("a result of the log is of the sequence that was asked for", "[card]")
{
    CardTable table;
    const auto operation = table.card.top_up();
    table.card.put(log_ins, table.card.receipt_of(operation).encode());
    CHECK(table.session.result(operation.sequence));
    CHECK(table.session.result(operation.sequence - 1).error().code == Errc::bad_signature);
    auto foreign = operation;
    foreign.card_id = bytes_value<CardId>(0x79);
    table.card.put(log_ins, table.card.receipt_of(foreign).encode());
    CHECK(table.session.result(operation.sequence).error().code == Errc::bad_signature);
    const auto executed = [](const Operation& what) {
        return ExecutedOperation{what, Signature{}}.encode();
    };
    table.card.put(log_ins, executed(foreign));
    CHECK(table.session.operation(operation.sequence).error().code == Errc::bad_signature);
    table.card.put(log_ins, executed(operation));
    CHECK(table.session.operation(operation.sequence));
    CHECK(table.session.operation(operation.sequence + 1).error().code == Errc::bad_signature);
    table.card.put(log_ins, operation.encode());  // without the issuer's signature
    CHECK(table.session.operation(operation.sequence).error().code == Errc::malformed);
    table.card.put_status(log_ins, 0x6A88);
    CHECK(table.session.result(1).error().code == Errc::not_in_log);
}

TEST_CASE("whatever the link does to a value command, the doubt is typed", "[card]")
{
    std::size_t tried = 0;
    for (const auto& fault : Fault::each_kind(1)) {
        PaperCard card;
        const auto operation = card.top_up();
        card.put(execute_ins, card.receipt_of(operation).encode());
        ScriptedLink script(card.script());
        FaultyLink link(script, {fault});
        auto session = CardSession::begin(link, card.root.public_key());
        REQUIRE(session);
        const auto answer = session->execute(first_of(operation));
        INFO(fault.name() << " " << fault.value);
        REQUIRE(!answer);
        CHECK(answer.error().effect == Effect::unknown);
        CHECK(link.faults_fired() == 1);
        ++tried;
    }
    CHECK(tried == 17);
}
