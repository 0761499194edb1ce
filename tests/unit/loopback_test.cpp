// SPDX-License-Identifier: Apache-2.0
// The loopback driver, and through it CardSession with a card that has rules.
#include <thread>

#include <catch2/catch.hpp>

#include "support/faulty_link.hpp"
#include "support/paper_issuer.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

const auto card_id = bytes_value<CardId>(0xC1);
const auto shop = *AccountId::parse(std::string_view("SHOP-1"));

PinBlock pin_of(std::string digits)
{
    return make_pin_block(digits).value();
}

// One card in a loopback reader.
struct Table {
    explicit Table(TransmissionProtocol protocol = TransmissionProtocol::t1)
    {
        std::vector<LoopbackCard> cards(1);
        cards[0] = {.image = folder.file("card"),
                    .transport_key = secret_of<TransportKey>(7),
                    .protocol = protocol,
                    .durable = false};
        driver = open_loopback(std::move(cards)).value();
        reader = driver->open(driver->list().value().at(0)).value();
        link = reader->connect(Sharing::shared).value();
    }

    CardSession begin() { return CardSession::begin(*link, issuer.root.public_key()).value(); }
    void issue()
    {
        auto session = begin();
        REQUIRE(session.info().state == CardState::blank);
        const auto sealed = issuer.personalisation_of(card_id, secret_of<TransportKey>(7));
        REQUIRE(session.personalise(sealed));
        REQUIRE(session.select());
    }
    Result<Receipt> execute(CardSession& session, Kind kind, std::int64_t units)
    {
        REQUIRE(session.select());
        return session.execute(issuer.sign(card_id, session.info().sequence + 1, kind, units));
    }

    test::TemporaryFolder folder;
    PaperIssuer issuer;
    std::unique_ptr<ReaderDriver> driver;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<CardLink> link;
};

}  // namespace

TEST_CASE("a loopback reader is named for its image and holds it", "[loopback]")
{
    Table table;
    const auto image = table.folder.file("card");
    CHECK(table.reader->name() == "loopback:" + image);
    CHECK(table.driver->open("loopback:other").error().code == Errc::reader_unavailable);
    std::vector<LoopbackCard> again(1);
    again[0] = {.image = image, .transport_key = {}, .durable = false};
    CHECK(open_loopback(std::move(again)).error().code == Errc::file_in_use);
}

TEST_CASE("the card of a loopback reader never leaves", "[loopback]")
{
    Table table;
    CHECK(table.reader->card());
    CHECK(table.reader->wait_for_card(0ms));
    CHECK(table.reader->wait_for_removal(1ms).error().code == Errc::timed_out);
    table.reader->cancel();
    CHECK(table.reader->wait_for_removal(10s).error().code == Errc::cancelled);
    std::thread other([&] { table.reader->cancel(); });
    CHECK(table.reader->wait_for_removal(10s).error().code == Errc::cancelled);
    other.join();
}

TEST_CASE("loopback links share as those of other readers do", "[loopback]")
{
    Table table;
    CHECK(table.reader->connect(Sharing::exclusive).error().code == Errc::card_shared);
    auto second = table.reader->connect(Sharing::shared).value();
    REQUIRE(table.link->begin());
    CHECK(second->begin().error().code == Errc::card_shared);
    REQUIRE(table.link->end());
    CHECK(second->begin());
    second.reset();
    table.link.reset();
    const auto exclusive = table.reader->connect(Sharing::exclusive);
    REQUIRE(exclusive);
    CHECK(table.reader->connect(Sharing::shared).error().code == Errc::card_shared);
}

TEST_CASE("a card's whole life through a session, under T=1 and T=0", "[loopback]")
{
    const auto protocol = GENERATE(TransmissionProtocol::t1, TransmissionProtocol::t0);
    Table table(protocol);
    REQUIRE(table.link->protocol() == protocol);
    table.issue();
    auto session = table.begin();
    CHECK(session.info().card_id == card_id);
    CHECK(session.limits().value().limits == table.issuer.limits);
    std::array<std::uint8_t, 256> random{};
    CHECK(session.challenge(random));

    const auto top_up = table.execute(session, Kind::top_up, 5000);
    REQUIRE(top_up);
    CHECK(top_up->result.balance == Balance::minor_units(5000));
    CHECK(session.result(1).value() == *top_up);
    CHECK(session.operation(1).value().operation.digest() == top_up->result.operation);

    CHECK(session.pin_tries_left().value() == 3u);
    const auto cash = Amount::minor_units(-3000);
    const auto till = *AccountId::parse(std::string_view("T1"));
    const auto ask = [&] {
        return session.request(Kind::cash_out, cash, table.issuer.currency.unit, till);
    };
    CHECK(ask().error().code == Errc::pin_needed);
    CHECK(table.execute(session, Kind::cash_out, -3000).error().code == Errc::no_such_request);
    const auto wrong = session.verify_pin(pin_of("1234"));
    REQUIRE(!wrong);
    CHECK(wrong.error().sw.tries_left() == 2u);
    REQUIRE(session.change_pin(pin_of("4711"), pin_of("080815")));
    REQUIRE(session.verify_pin(pin_of("080815")));
    CHECK(session.pin_tries_left().value() == std::nullopt);
    CHECK(session.execute(table.issuer.sign(ask().value().operation)));

    const PaymentOrder order{.amount = Amount::minor_units(-700),
                             .unit = table.issuer.currency.unit,
                             .nonce = bytes_value<Nonce>(0x61),
                             .payee = shop};
    const auto paid = session.pay(order);
    REQUIRE(paid);
    CHECK(paid->result.sequence == 3);
    CHECK(session.pay(order).value() == *paid);
    const auto second =
        session.request(Kind::transfer_in, Amount::minor_units(900), order.unit, shop);
    REQUIRE(second);
    CHECK(second->operation.sequence == 4);
    const auto state = session.authenticate(bytes_value<Challenge>(0x44));
    REQUIRE(state);
    CHECK(state->balance == Balance::minor_units(1300));
    CHECK(session.result(9).error().code == Errc::not_in_log);
    CHECK(session
              .pay({.amount = Amount::minor_units(-2000),
                    .unit = order.unit,
                    .nonce = {},
                    .payee = shop})
              .error()
              .code == Errc::balance_too_low);
    CHECK(table.execute(session, Kind::terminate, 0));
}

TEST_CASE("wherever a top-up breaks, the log tells whether it happened", "[loopback]")
{
    const auto protocol = GENERATE(TransmissionProtocol::t1, TransmissionProtocol::t0);
    std::size_t broken = 0, applied = 0;
    // Under T=0 the answer to EXECUTE is an exchange of its own.
    const std::size_t exchanges = protocol == TransmissionProtocol::t1 ? 1 : 2;
    for (std::size_t at = 0; at < exchanges; ++at) {
        for (auto fault : Fault::each_kind(at)) {
            Table table(protocol);
            table.issue();
            FaultyLink link(*table.link);
            auto session = CardSession::begin(link, table.issuer.root.public_key()).value();
            const auto first = table.issuer.sign(card_id, 1, Kind::top_up, 100);
            link.restart({fault});
            const auto answer = session.execute(first);
            INFO(fault.name() << " " << fault.value << " at " << at);
            REQUIRE(link.faults_fired() == 1);
            if (answer) continue;
            CHECK(answer.error().effect == Effect::unknown);
            (void)session.end();
            ++broken;
            link.insert();
            auto later = CardSession::begin(link, table.issuer.root.public_key()).value();
            if (later.info().sequence == 1) ++applied;
            const auto again = later.execute(first);
            REQUIRE(again);
            CHECK(again->result.balance == Balance::minor_units(100));
        }
    }
    CHECK(broken >= 17);
    CHECK(applied >= 13);
    CHECK(applied < broken);
}
