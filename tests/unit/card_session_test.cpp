// SPDX-License-Identifier: Apache-2.0
// CardSession against a card that answers what the test wants it to.
#include <catch2/catch.hpp>

#include <tallycard/card_session.hpp>

#include "../../src/protocol/tlv.hpp"
#include "../../src/protocol/wire.hpp"
#include "support/faulty_link.hpp"
#include "support/paper_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {

constexpr std::uint8_t execute_ins = 0x32, pay_ins = 0x34, log_ins = 0x36, request_ins = 0x30,
                       authenticate_ins = 0x88, verify_ins = 0x20;

const auto payee = *AccountId::parse(std::string_view("SHOP-1"));

PaymentOrder order_of(const PaperCard& card)
{
    return {.amount = Amount::minor_units(-1230),
            .unit = card.info.currency.unit,
            .nonce = bytes_value<Nonce>(0x33),
            .payee = payee};
}
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
FirstInstruction first_of(const Operation& operation)
{
    return {.operation = operation, .issuer_signature = {}};
}

// A session on a paper card.
struct Table {
    PaperCard card;
    ScriptedLink link{card.script()};
    CardSession session = CardSession::begin(link, card.root.public_key()).value();
};

void check_doubt(const Error& error, Errc code)
{
    CHECK(error.code == code);
    CHECK(error.effect == Effect::unknown);
}

}  // namespace

TEST_CASE("begin selects and derives the card's public key; the end gives the card back", "[card]")
{
    PaperCard card;
    ScriptedLink link(card.script());
    {
        auto session = CardSession::begin(link, card.root.public_key());
        REQUIRE(session);
        CHECK(session->info() == card.info);
        CHECK(session->public_key() == card.public_key);
        CHECK(link.ended == 0);
    }
    CHECK(link.begun == 1);
    CHECK(link.ended == 1);
}

TEST_CASE("end() gives the card back once", "[card]")
{
    PaperCard card;
    ScriptedLink link(card.script());
    {
        auto session = CardSession::begin(link, card.root.public_key());
        REQUIRE(session);
        REQUIRE(session->end());
    }
    CHECK(link.ended == 1);
}

TEST_CASE("after a reset by another program begin reconnects, once", "[card]")
{
    PaperCard card;
    ScriptedLink link(card.script());
    const Error reset{.code = Errc::card_reset, .where = "script"};
    link.begin_errors = {reset};
    CHECK(CardSession::begin(link, card.root.public_key()));
    CHECK(link.reconnected == 1);
    link.begin_errors = {reset, reset};
    const auto again = CardSession::begin(link, card.root.public_key());
    REQUIRE(!again);
    CHECK(again.error().code == Errc::card_reset);
    CHECK(link.reconnected == 2);
}

TEST_CASE("a reset that shows at SELECT is met in the same way", "[card]")
{
    PaperCard card;
    ScriptedLink script(card.script());
    FaultyLink link(script, {Fault::reset_before(0)});
    CHECK(CardSession::begin(link, card.root.public_key()));
    CHECK(link.faults_fired() == 1);
    CHECK(script.begun == script.ended);
}

TEST_CASE("a card without the application is a foreign card, whatever it says", "[card]")
{
    for (const unsigned value : {0x6A82u, 0x6A81u, 0x6D00u, 0x6985u, 0x6F00u, 0x6999u, 0x6283u}) {
        const auto sw = static_cast<std::uint16_t>(value);
        PaperCard card;
        card.put_status(0xA4, sw);
        ScriptedLink link(card.script());
        const auto session = CardSession::begin(link, card.root.public_key());
        REQUIRE(!session);
        CHECK(session.error().code == Errc::foreign_card);
        CHECK(session.error().sw == StatusWord(sw));
        CHECK(link.ended == 1);
    }
}

TEST_CASE("a certificate that is no valid point makes a foreign card", "[card]")
{
    PaperCard card;
    card.info.certificate = Certificate{};
    card.put(0xA4, card.info.encode());
    ScriptedLink link(card.script());
    const auto session = CardSession::begin(link, card.root.public_key());
    REQUIRE(!session);
    CHECK(session.error().code == Errc::foreign_card);
}

TEST_CASE("a blank card can be selected and personalised, and nothing else is sent to it", "[card]")
{
    PaperCard card;
    card.put(0xA4, CardInfo{}.encode());
    card.put_status(0xE2, 0x9000);
    ScriptedLink link(card.script());
    auto session = CardSession::begin(link, card.root.public_key());
    REQUIRE(session);
    CHECK(session->info().state == CardState::blank);
    CHECK(session->public_key() == PublicKey{});
    CHECK(session->execute(first_of(card.top_up())).error().code == Errc::blank_card);
    CHECK(session->pay(order_of(card)).error().code == Errc::blank_card);
    CHECK(session->authenticate({}).error().code == Errc::blank_card);
    CHECK(session->limits().error().code == Errc::blank_card);
    CHECK(link.transmitted == 1);
    CHECK(session->personalise(Bytes(28, 0)));
    card.put(0xA4, card.info.encode());
    REQUIRE(session->select());
    CHECK(session->public_key() == card.public_key);
}

TEST_CASE("execute returns the receipt of what was sent", "[card]")
{
    Table table;
    const auto operation = table.card.top_up();
    const auto receipt = table.card.receipt_of(operation);
    table.card.put(execute_ins, receipt.encode());
    const auto answer = table.session.execute(first_of(operation));
    REQUIRE(answer);
    CHECK(*answer == receipt);
}

TEST_CASE("a receipt that is genuine and not of what was sent is in doubt", "[card]")
{
    Table table;
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
    Table table;
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
    Table table;
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
    Table table;
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
    Table table;
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
    Table table;
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
    Table table;
    const auto operation = table.card.top_up();
    table.card.put(log_ins, table.card.receipt_of(operation).encode());
    CHECK(table.session.result(operation.sequence));
    CHECK(table.session.result(operation.sequence - 1).error().code == Errc::bad_signature);
    auto foreign = operation;
    foreign.card_id = bytes_value<CardId>(0x79);
    table.card.put(log_ins, table.card.receipt_of(foreign).encode());
    CHECK(table.session.result(operation.sequence).error().code == Errc::bad_signature);
    table.card.put(log_ins, foreign.encode());
    CHECK(table.session.operation(operation.sequence).error().code == Errc::bad_signature);
    table.card.put(log_ins, operation.encode());
    CHECK(table.session.operation(operation.sequence));
    CHECK(table.session.operation(operation.sequence + 1).error().code == Errc::bad_signature);
    table.card.put_status(log_ins, 0x6A88);
    CHECK(table.session.result(1).error().code == Errc::not_in_log);
}

TEST_CASE("a state statement is of this card, this unit and this challenge", "[card]")
{
    Table table;
    const auto challenge = bytes_value<Challenge>(0x55);
    StateStatement statement{.card_id = table.card.card_id,
                             .sequence = 4,
                             .unit = table.card.info.currency.unit,
                             .balance = Balance::minor_units(5000),
                             .last_result = {},
                             .state = CardState::operational,
                             .challenge = challenge};
    const auto answer_with = [&](const StateStatement& given) {
        tlv::Encoder<170> answer;
        answer.raw(given.encode());
        const auto signature = table.card.signer.sign_state(given).value();
        answer.field(wire::tag::card_signature, signature.bytes());
        table.card.put(authenticate_ins, answer.fields());
    };
    answer_with(statement);
    REQUIRE(table.session.authenticate(challenge));

    SECTION("an old challenge")
    {
        statement.challenge = bytes_value<Challenge>(0x56);
    }
    SECTION("another card")
    {
        statement.card_id = bytes_value<CardId>(0x12);
    }
    SECTION("another unit")
    {
        statement.unit = *Unit::from_code(156);
    }
    answer_with(statement);
    CHECK(table.session.authenticate(challenge).error().code == Errc::bad_signature);
}

TEST_CASE("another issuer's card fails when it signs", "[card]")
{
    PaperCard card;
    const SoftwareCardRoot other(secret_of<KeySeed>(9));
    ScriptedLink link(card.script());
    auto session = CardSession::begin(link, other.public_key());
    REQUIRE(session);
    const auto operation = card.top_up();
    card.put(log_ins, card.receipt_of(operation).encode());
    CHECK(session->result(operation.sequence).error().code == Errc::bad_signature);
}

TEST_CASE("a wrong PIN says how many tries are left", "[card]")
{
    Table table;
    const auto pin = secret_of<PinBlock>(0x24);
    table.card.put_status(verify_ins, 0x63C2);
    const auto wrong = table.session.verify_pin(pin);
    REQUIRE(!wrong);
    CHECK(wrong.error().code == Errc::wrong_pin);
    CHECK(wrong.error().sw.tries_left() == 2u);
    CHECK(table.session.pin_tries_left().value() == 2u);
    table.card.put_status(verify_ins, 0x6983);
    CHECK(table.session.pin_tries_left().value() == 0u);
    table.card.put_status(verify_ins, 0x9000);
    CHECK(table.session.pin_tries_left().value() == std::nullopt);
    table.card.put_status(verify_ins, 0x6984);
    CHECK(table.session.pin_tries_left().error().code == Errc::no_pin);
}

TEST_CASE("a challenge has as many bytes as were asked for", "[card]")
{
    Table table;
    std::array<std::uint8_t, 16> random{};
    table.card.put(0x84, Bytes(16, 0x5A));
    REQUIRE(table.session.challenge(random));
    CHECK(random[15] == 0x5A);
    table.card.put(0x84, Bytes(15, 0x5A));
    CHECK(table.session.challenge(random).error().code == Errc::malformed);
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
