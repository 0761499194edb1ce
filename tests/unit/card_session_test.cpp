// SPDX-License-Identifier: Apache-2.0
// CardSession and who the card is: selecting, proving, PIN. The card answers what the test wants.
#include <catch2/catch.hpp>

#include "../../src/protocol/tlv.hpp"
#include "../../src/protocol/wire.hpp"
#include "support/card_table.hpp"
#include "support/faulty_link.hpp"

using namespace tallycard;
using namespace testing;

namespace {

constexpr std::uint8_t log_ins = 0x36, authenticate_ins = 0x88, verify_ins = 0x20;

// What INTERNAL AUTHENTICATE answers: genuine, whatever it says.
void answer_with(PaperCard& card, const StateStatement& statement)
{
    tlv::Encoder<170> answer;
    answer.raw(statement.encode());
    const auto signature = card.signer.sign_state(statement).value();
    answer.field(wire::tag::card_signature, signature.bytes());
    card.put(authenticate_ins, answer.fields());
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

TEST_CASE("a state statement is of this card, this unit and this challenge", "[card]")
{
    CardTable table;
    const auto challenge = bytes_value<Challenge>(0x55);
    StateStatement statement{.card_id = table.card.card_id,
                             .sequence = 4,
                             .unit = table.card.info.currency.unit,
                             .balance = Balance::minor_units(5000),
                             .last_result = {},
                             .state = CardState::operational,
                             .challenge = challenge};
    answer_with(table.card, statement);
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
    answer_with(table.card, statement);
    CHECK(table.session.authenticate(challenge).error().code == Errc::bad_signature);
}

TEST_CASE("another issuer's card fails when it signs", "[card]")
{
    PaperCard card;
    const SoftwareCardRoot other(secret_of<KeySeed>(9));
    ScriptedLink link(card.script());
    auto session = CardSession::begin(link, other.public_key());
    REQUIRE(session);
    const StateStatement statement{.card_id = card.card_id,
                                   .sequence = 4,
                                   .unit = card.info.currency.unit,
                                   .balance = Balance::minor_units(5000),
                                   .last_result = {},
                                   .state = CardState::operational,
                                   .challenge = bytes_value<Challenge>(0x55)};
    answer_with(card, statement);
    CHECK(session->authenticate(statement.challenge).error().code == Errc::foreign_card);
    const auto operation = card.top_up();
    card.put(log_ins, card.receipt_of(operation).encode());
    CHECK(session->result(operation.sequence).error().code == Errc::bad_signature);
}

TEST_CASE("a wrong PIN says how many tries are left", "[card]")
{
    CardTable table;
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
    CardTable table;
    std::array<std::uint8_t, 16> random{};
    table.card.put(0x84, Bytes(16, 0x5A));
    REQUIRE(table.session.challenge(random));
    CHECK(random[15] == 0x5A);
    table.card.put(0x84, Bytes(15, 0x5A));
    CHECK(table.session.challenge(random).error().code == Errc::malformed);
}
