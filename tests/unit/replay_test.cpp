// SPDX-License-Identifier: Apache-2.0
// A record played again: as the session was, in its order, and an error that names the line where a
// program does something else.
#include <catch2/catch.hpp>

#include <thread>

#include <tallycard/replay_reader.hpp>
#include <tallycard/trace_reader.hpp>

#include "support/paper_issuer.hpp"
#include "support/temporary_folder.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;

namespace {

const std::string header = "tallycard-trace 1\n";
const std::string small = header +
                          "0 reader 1 \"A \\\"card\\\" reader\"\n"    // line 2
                          "1 list > 1\n"                              // 3
                          "2 connect 1 shared > 1 t0 3b00 pin_pad\n"  // 4
                          "3 begin 1 > ok\n"                          // 5
                          "4 transmit 1 00200001.... > 63c2\n"        // 6
                          "5 transmit 1 00b00000.. > ....9000\n"      // 7
                          "6 transmit 1 0084000002 > ! timed_out unknown 0000002a\n"
                          "7 end 1 > ok\n"  // 9
                          "8 close 1\n";

struct Replay {
    explicit Replay(const std::string& text = small)
        : driver(parse_replay(text).value()),
          reader(driver->open(driver->list().value().at(0)).value())
    {
    }
    void connect()
    {
        link = reader->connect(Sharing::shared).value();
        REQUIRE(link->begin());
    }
    Result<std::size_t> send(const Bytes& command) { return link->transmit(command, answer); }

    std::unique_ptr<ReplayDriver> driver;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<CardLink> link;
    std::array<std::uint8_t, 258> answer{};
};

void check_differs(const Error& error, std::uint32_t line, std::uint32_t column)
{
    CHECK(error.code == Errc::link_failed);
    CHECK(error.detail == line);
    CHECK(error.column == column);
}

// What a till does with a card, all of it chosen beforehand.
std::vector<Receipt> session_at(ReaderDriver& driver, PaperIssuer& issuer, const CardId& card_id)
{
    const auto reader = driver.open(driver.list().value().at(0)).value();
    REQUIRE(reader->wait_for_card(1s));
    const auto link = reader->connect(Sharing::shared).value();
    auto session = CardSession::begin(*link, issuer.root.public_key()).value();
    std::string digits = "4711", wrong = "4712";
    CHECK(session.verify_pin(make_pin_block(wrong).value()).error().sw.tries_left() == 2u);
    CHECK(session.verify_pin(make_pin_block(digits).value()));
    std::vector<Receipt> receipts;
    receipts.push_back(session.execute(issuer.sign(card_id, 1, Kind::top_up, 5000)).value());
    receipts.push_back(session
                           .pay({.amount = Amount::minor_units(-700),
                                 .unit = issuer.currency.unit,
                                 .nonce = bytes_value<Nonce>(0x61),
                                 .payee = *AccountId::parse(std::string_view("SHOP-1"))})
                           .value());
    CHECK(session.execute(issuer.sign(card_id, 9, Kind::top_up, 1)).error().code ==
          Errc::wrong_sequence);
    CHECK(session.authenticate(bytes_value<Challenge>(0x44)).value().balance ==
          Balance::minor_units(4300));
    CHECK(session.end());
    return receipts;
}

}  // namespace

TEST_CASE("a session with a card replays with no card, under T=1 and T=0", "[replay]")
{
    const auto protocol = GENERATE(TransmissionProtocol::t1, TransmissionProtocol::t0);
    test::TemporaryFolder folder;
    PaperIssuer issuer;
    const auto card_id = bytes_value<CardId>(0xC1);
    std::vector<LoopbackCard> cards(1);
    cards[0] = {.image = folder.file("card"),
                .transport_key = secret_of<TransportKey>(7),
                .protocol = protocol,
                .durable = false};
    auto driver = open_loopback(std::move(cards)).value();
    {
        const auto reader = driver->open(driver->list().value().at(0)).value();
        const auto link = reader->connect(Sharing::shared).value();
        auto session = CardSession::begin(*link, issuer.root.public_key()).value();
        REQUIRE(
            session.personalise(issuer.personalisation_of(card_id, secret_of<TransportKey>(7))));
    }
    const auto path = folder.file("record");
    driver = open_traced(std::move(driver), path).value();
    const auto recorded = session_at(*driver, issuer, card_id);
    driver.reset();

    const auto replayed = open_replay(path).value();
    CHECK(session_at(*replayed, issuer, card_id) == recorded);
    CHECK(replayed->finished());
    // A second time there is nothing left.
    const auto reader = replayed->open(replayed->list().value().at(0)).value();
    CHECK(reader->connect(Sharing::shared).error().code == Errc::link_failed);
}

TEST_CASE("a replay gives what was recorded, errors too; masked bytes match any", "[replay]")
{
    Replay replay;
    CHECK(replay.reader->name() == "A \"card\" reader");
    CHECK(replay.reader->card().value().size() == 2);
    CHECK(replay.driver->open("another").error().code == Errc::reader_unavailable);
    replay.connect();
    CHECK(replay.link->protocol() == TransmissionProtocol::t0);
    CHECK(replay.link->has_pin_pad());
    CHECK(replay.send({0x00, 0x20, 0x00, 0x01, 0x47, 0x11}).value() == 2);
    replay.answer.fill(0xFF);
    CHECK(replay.send({0x00, 0xB0, 0x00, 0x00, 0x77}).value() == 4);
    CHECK(Bytes(replay.answer.begin(), replay.answer.begin() + 4) == Bytes{0, 0, 0x90, 0});
    const auto late = replay.send({0x00, 0x84, 0x00, 0x00, 0x02});
    CHECK(late.error().code == Errc::timed_out);
    CHECK(late.error().effect == Effect::unknown);
    CHECK(late.error().detail == 42);
    check_differs(replay.driver->finished().error(), 9, 1);
    CHECK(replay.link->end());
    CHECK(replay.driver->finished());
}

TEST_CASE("a command that differs is refused with line and column, and so is all after it",
          "[replay]")
{
    struct Case {
        Bytes command;
        std::uint32_t column;
    };
    const Case cases[] = {{{0x00, 0x21, 0x00, 0x01, 0x47, 0x11}, 16},
                          {{0x80, 0x20, 0x00, 0x01, 0x47, 0x11}, 14},
                          {{0x00, 0x20, 0x00, 0x01, 0x47}, 24},
                          {{0x00, 0x20, 0x00, 0x01, 0x47, 0x11, 0x00}, 26},
                          {{}, 14}};
    for (const auto& each : cases) {
        Replay replay;
        replay.connect();
        check_differs(replay.send(each.command).error(), 6, each.column);
        CHECK(replay.send(each.command).error().effect == Effect::none);
        check_differs(replay.send({0x00, 0x20, 0x00, 0x01, 0x47, 0x11}).error(), 6, each.column);
        check_differs(replay.link->end().error(), 6, each.column);
        check_differs(replay.driver->finished().error(), 6, each.column);
    }
    Replay message;
    message.connect();
    CHECK(message.send({0x00}).error().message().ends_with("(line 6, column 16 of the record)"));
}

TEST_CASE("a call in another order is refused at the line of the one that was due", "[replay]")
{
    Replay early;
    check_differs(early.reader->wait_for_card(1s).error(), 4, 1);
    Replay other;
    check_differs(other.reader->connect(Sharing::exclusive).error(), 4, 1);
    Replay skipped;
    skipped.connect();
    check_differs(skipped.link->end().error(), 6, 1);
    Replay typed;
    typed.connect();
    const Bytes command = {0x00, 0x20, 0x00, 0x01, 0x47, 0x11};
    check_differs(typed.link->transmit_with_pin(PinEntry::verify, command, typed.answer).error(), 6,
                  1);
    Replay beyond(header + "0 reader 1 \"r\"\n");
    check_differs(beyond.reader->connect(Sharing::shared).error(), 3, 1);
}

TEST_CASE("an answer that has no room is in doubt", "[replay]")
{
    Replay replay;
    replay.connect();
    std::array<std::uint8_t, 1> small_answer{};
    const Bytes command = {0x00, 0x20, 0x00, 0x01, 0x47, 0x11};
    const auto size = replay.link->transmit(command, small_answer);
    CHECK(size.error().effect == Effect::unknown);
}

TEST_CASE("what is asked for often follows the record as far as it can", "[replay]")
{
    Replay replay(header +
                  "0 reader 1 \"r\"\n1 card 1 > ! no_card none 00000000\n2 card 1 > 3b01\n"
                  "3 wait_for_card 1 > 3b01\n4 card 1 > 3b02\n");
    CHECK(replay.reader->card().error().code == Errc::no_card);
    CHECK(replay.reader->card().value().bytes()[1] == 1);
    CHECK(replay.reader->card().value().bytes()[1] == 1);  // the last one still holds
    CHECK(replay.reader->wait_for_card(1s));
    CHECK(replay.reader->card().value().bytes()[1] == 2);
    replay.reader->cancel();
    CHECK(replay.reader->wait_for_card(20s).error().code == Errc::cancelled);
}

TEST_CASE("a monitor of a replay tells the recorded events", "[replay]")
{
    using Kind = ReaderEvent::Kind;
    const auto driver = parse_replay(header +
                                     "0 event service_up\n1 reader 1 \"r\"\n2 event "
                                     "reader_arrived 1\n3 event card_in 1 3b00\n4 list > 1\n"
                                     "5 event card_out 1\n")
                            .value();
    const auto monitor = driver->monitor({}).value();
    for (const auto kind :
         {Kind::service_up, Kind::reader_arrived, Kind::card_in, Kind::card_out}) {
        const auto event = monitor->wait(20s).value();
        CHECK(event.kind == kind);
        CHECK(event.reader == (kind == Kind::service_up ? "" : "r"));
        CHECK(event.atr.size() == (kind == Kind::card_in ? 2u : 0u));
    }
}

TEST_CASE("an error of a record names line and column", "[replay]")
{
    struct Case {
        const char* text;
        std::uint32_t line, column;
    };
    const Case cases[] = {
        {"0 reader 1 r\n", 2, 12},
        {"0 reader 1 \"r\n", 2, 12},
        {"0 reader 1 \"\\q\"\n", 2, 12},
        {"0 reader 0 \"r\"\n", 2, 10},
        {"0 reader 1 \"r\"\n0 reader 1 \"s\"\n", 3, 10},
        {"0 reader 1 \"r\" x\n", 2, 16},
        {"list > -\n", 2, 1},
        {"0 lists > -\n", 2, 3},
        {"0 list > 1\n", 2, 10},
        {"0 list -\n", 2, 8},
        {"0 list >\n", 2, 8},
        {"0 begin 1 > ok\n", 2, 9},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 2 t1 -\n", 3, 22},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 1 t2 -\n", 3, 24},
        {"0 reader 1 \"r\"\n0 connect 1 common > 1 t1 -\n", 3, 13},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 1 t1 3b..\n", 3, 27},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 1 t1 - pad\n", 3, 29},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 1 t1 -\n0 transmit 1 0 > 9000\n", 4, 14},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 1 t1 -\n0 transmit 1 0. > 9000\n", 4, 14},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 1 t1 -\n0 transmit 1 00 > 9\n", 4, 19},
        {"0 reader 1 \"r\"\n0 connect 1 shared > 1 t1 -\n0 begin 1 > yes\n", 4, 13},
        {"0 reader 1 \"r\"\n0 card 1 > ! nothing none 0\n", 3, 14},
        {"0 reader 1 \"r\"\n0 card 1 > ! no_card some 0\n", 3, 22},
        {"0 reader 1 \"r\"\n0 card 1 > ! no_card none x\n", 3, 27},
        {"0 event card_up\n", 2, 9},
        {"0 event card_in 1 3b\n", 2, 17},
    };
    for (const auto& each : cases) {
        const auto driver = parse_replay(header + each.text);
        CAPTURE(each.text);
        REQUIRE(!driver);
        CHECK(driver.error().code == Errc::file_malformed);
        CHECK(driver.error().detail == each.line);
        CHECK(driver.error().column == each.column);
    }
    CHECK(parse_replay("tallycard-faults 1\n").error().column == 1);
    CHECK(parse_replay("tallycard-trace 2\n").error().column == 17);
    CHECK(open_replay("/nowhere/record").error().code == Errc::file_missing);
}
