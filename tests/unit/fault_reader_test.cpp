// SPDX-License-Identifier: Apache-2.0
// Readers that fail as planned: what a caller sees of every fault, and what the card heard.
#include <catch2/catch.hpp>

#include <future>
#include <thread>

#include <tallycard/fault_reader.hpp>

#include "support/scripted_reader.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;
using EventKind = ReaderEvent::Kind;

namespace {

const Bytes command = {0x00, 0x84, 0x00, 0x00, 0x08};

struct Bench {
    explicit Bench(const std::string& lines)
        : driver(open_faulty(std::make_unique<ScriptedDriver>(card),
                             FaultPlan::parse("tallycard-faults 1\n" + lines).value())),
          reader(driver->open("one").value()),
          link(reader->connect(Sharing::shared).value())
    {
    }

    Result<Bytes> send()
    {
        const auto size = link->transmit(command, buffer);
        if (!size) return size.error();
        return Bytes(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*size));
    }
    // The call failed, and the caller cannot know what the card did.
    void check_lost(Errc code, unsigned heard)
    {
        const auto answer = send();
        REQUIRE(!answer);
        CHECK(answer.error().code == code);
        CHECK(answer.error().effect == Effect::unknown);
        CHECK(card->heard == heard);
    }

    std::shared_ptr<ScriptedState> card = std::make_shared<ScriptedState>();
    std::unique_ptr<ReaderDriver> driver;
    std::unique_ptr<Reader> reader;
    std::unique_ptr<CardLink> link;
    std::array<std::uint8_t, 258> buffer{};
};

Bytes good(std::uint8_t number)
{
    Bytes answer(10, number);
    answer[8] = 0x90;
    answer[9] = 0x00;
    return answer;
}

// Until the monitor has told these; empty when another one came first.
std::vector<EventKind> events(ReaderMonitor& monitor, std::size_t count)
{
    std::vector<EventKind> told;
    while (told.size() < count) {
        const auto event = monitor.wait(20s);
        if (!event) break;
        told.push_back(event->kind);
    }
    return told;
}

}  // namespace

TEST_CASE("a plan with no faults changes nothing", "[fault]")
{
    Bench bench("");
    bench.card->has_pin_pad = true;
    CHECK(bench.driver->list().value() == std::vector<std::string>{"one"});
    CHECK(bench.driver->open("serial:S1").value()->name() == "one");
    CHECK(bench.driver->open("two").error().code == Errc::reader_unavailable);
    CHECK(bench.reader->identity().value().usb_path == "1-2");
    CHECK(bench.reader->card().value() == ScriptedDriver::atr());
    CHECK(bench.link->atr() == ScriptedDriver::atr());
    CHECK(bench.link->begin());
    CHECK(bench.send().value() == good(1));
    CHECK(bench.link->end());
    CHECK(bench.link->reconnect());
    CHECK(bench.link->has_pin_pad());
    CHECK(bench.link->transmit_with_pin(PinEntry::verify, command, bench.buffer));
    const auto& card = *bench.card;
    CHECK((card.begun == 1 && card.ended == 1 && card.reconnected == 1 && card.typed == 1));
}

TEST_CASE("a lost message is in doubt, and the link goes on", "[fault]")
{
    Bench before("at 1 lose-command");
    before.check_lost(Errc::link_failed, 0);
    CHECK(before.send().value() == good(1));
    Bench after("at 1 lose-answer");
    after.check_lost(Errc::link_failed, 1);
    CHECK(after.send().value() == good(2));
}

TEST_CASE("faults meet commands with a typed PIN, too", "[fault]")
{
    Bench bench("at 1 lose-command");
    bench.card->has_pin_pad = true;
    CHECK(bench.link->transmit_with_pin(PinEntry::verify, command, bench.buffer).error().code ==
          Errc::link_failed);
    CHECK(bench.card->typed == 0);
}

TEST_CASE("a link that dropped stays so, and a new one works", "[fault]")
{
    Bench bench("at 1 drop 3\nat 3 drop 10");
    bench.check_lost(Errc::link_failed, 1);
    CHECK(bench.buffer[2] == 1);
    CHECK(bench.buffer[3] == 0);  // never arrived
    CHECK(bench.link->begin().error().code == Errc::link_failed);
    CHECK(bench.link->reconnect().error().code == Errc::link_failed);
    bench.check_lost(Errc::link_failed, 1);
    bench.link = bench.reader->connect(Sharing::shared).value();
    CHECK(bench.send().value() == good(2));
    CHECK(bench.send().value() == good(3));  // whole, and the last one
    CHECK(bench.link->end().error().code == Errc::link_failed);
}

TEST_CASE("a mute link is given up at its deadline", "[fault]")
{
    Bench before("deadline 1\nat 1 mute-before");
    before.check_lost(Errc::timed_out, 0);
    before.check_lost(Errc::timed_out, 0);
    Bench after("deadline 1\nat 1 mute-after");
    after.check_lost(Errc::timed_out, 1);
    Bench slow("deadline 1\nat 1 delay 1");
    slow.check_lost(Errc::timed_out, 1);
}

TEST_CASE("an answer that is late within the deadline is an answer", "[fault]")
{
    Bench bench("at 1 delay 5");
    const auto start = std::chrono::steady_clock::now();
    CHECK(bench.send().value() == good(1));
    CHECK(std::chrono::steady_clock::now() - start >= 5ms);
}

TEST_CASE("an answer is changed as planned", "[fault]")
{
    CHECK(Bench("at 1 truncate 3").send().value() == Bytes{1, 1, 1});
    CHECK(Bench("at 1 truncate 0").send().value().empty());
    CHECK(Bench("at 1 truncate 999").send().value() == good(1));
    CHECK(Bench("at 1 only-status 6a82").send().value() == Bytes{0x6A, 0x82});
    auto other = good(1);
    other[8] = 0x6F;
    CHECK(Bench("at 1 status 6F00").send().value() == other);
    other = good(1);
    other[1] = 1 ^ 0x20;
    CHECK(Bench("at 1 flip-bit 13").send().value() == other);
    CHECK(Bench("at 1 flip-bit 93").send().value() == other);  // 10 bytes further
    Bench again("at 2 repeat");
    CHECK(again.send().value() == good(1));
    CHECK(again.send().value() == good(1));
    CHECK(again.card->heard == 2);
    CHECK(again.send().value() == good(3));
}

TEST_CASE("a reset shows on every link until each has reconnected", "[fault]")
{
    Bench bench("at 1 reset-before\nat 2 reset-after");
    const auto other = bench.reader->connect(Sharing::shared).value();
    bench.check_lost(Errc::card_reset, 0);
    CHECK(bench.link->begin().error().code == Errc::card_reset);
    CHECK(other->begin().error().code == Errc::card_reset);
    CHECK(bench.reader->card());
    CHECK(bench.link->reconnect());
    CHECK(bench.link->begin());
    CHECK(other->begin().error().code == Errc::card_reset);
    bench.check_lost(Errc::card_reset, 1);
    CHECK(bench.link->reconnect());
    CHECK(bench.send().value() == good(2));
}

TEST_CASE("a removed card is away for links, reader and connections", "[fault]")
{
    Bench bench("at 1 remove-after");
    bench.check_lost(Errc::card_removed, 1);
    CHECK(bench.reader->card().error().code == Errc::no_card);
    CHECK(bench.reader->connect(Sharing::shared).error().code == Errc::no_card);
    CHECK(bench.link->begin().error().code == Errc::card_removed);
    CHECK(bench.link->reconnect().error().code == Errc::card_removed);
    CHECK(bench.reader->wait_for_removal(0ms));
    CHECK(bench.reader->wait_for_card(1ms).error().code == Errc::timed_out);
    bench.reader->cancel();
    CHECK(bench.reader->wait_for_card(20s).error().code == Errc::cancelled);
    CHECK(bench.driver->list().value().size() == 1);
    bench.check_lost(Errc::card_removed, 1);
}

TEST_CASE("a card that was removed for a time can be waited for", "[fault]")
{
    Bench bench("at 1 remove-before 2");
    bench.check_lost(Errc::card_removed, 0);
    CHECK(bench.reader->wait_for_card(20s));
    CHECK(bench.link->begin().error().code == Errc::card_removed);
    CHECK(bench.link->reconnect());
    CHECK(bench.send().value() == good(1));
}

TEST_CASE("a wait for the removal of a card ends when a fault pulls it", "[fault]")
{
    Bench bench("at 1 remove-after\n");
    Result<void> gone = Error{};
    std::thread waiter([&] { gone = bench.reader->wait_for_removal(20s); });
    bench.check_lost(Errc::card_removed, 1);
    waiter.join();
    CHECK(gone);
}

TEST_CASE("a pulled reader is away for its driver, and comes back", "[fault]")
{
    Bench bench("at 1 unplug-after\n");
    bench.check_lost(Errc::reader_unavailable, 1);
    CHECK(bench.driver->list().value().empty());
    CHECK(bench.driver->open("one").error().code == Errc::reader_unavailable);
    CHECK(bench.reader->card().error().code == Errc::reader_unavailable);
    CHECK(bench.reader->identity().error().code == Errc::reader_unavailable);
    CHECK(bench.reader->wait_for_card(20s).error().code == Errc::reader_unavailable);
    CHECK(bench.link->reconnect().error().code == Errc::reader_unavailable);
    Bench short_time("at 1 unplug-before 1\n");
    short_time.check_lost(Errc::reader_unavailable, 0);
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!short_time.reader->card() && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    CHECK(short_time.driver->list().value().size() == 1);
    CHECK(short_time.link->reconnect());
}

TEST_CASE("a monitor tells what faults pull, paired and in order", "[fault]")
{
    Bench bench("every 2 remove-after 1\nevery 3 unplug-after 1");
    const auto monitor = bench.driver->monitor({}).value();
    CHECK(events(*monitor, 3) ==
          std::vector{EventKind::service_up, EventKind::reader_arrived, EventKind::card_in});
    CHECK(bench.send());
    bench.check_lost(Errc::card_removed, 2);
    CHECK(events(*monitor, 2) == std::vector{EventKind::card_out, EventKind::card_in});
    CHECK(bench.link->reconnect());
    bench.check_lost(Errc::reader_unavailable, 3);
    CHECK(events(*monitor, 4) == std::vector{EventKind::card_out, EventKind::reader_left,
                                             EventKind::reader_arrived, EventKind::card_in});
    CHECK_FALSE(monitor->next());
    monitor->stop();
    CHECK(monitor->wait(20s).error().code == Errc::cancelled);
}

TEST_CASE("a card that was away while a callback ran is told as out and in", "[fault]")
{
    Bench bench("at 1 remove-after 1");
    std::promise<void> entered, go_on, seen_again;
    std::vector<EventKind> told;
    const auto monitor = bench.driver
                             ->monitor([&](const ReaderEvent& event) {
                                 told.push_back(event.kind);
                                 if (event.kind != EventKind::card_in) return;
                                 if (told.size() > 3) return seen_again.set_value();
                                 entered.set_value();
                                 go_on.get_future().wait();
                             })
                             .value();
    entered.get_future().wait();
    bench.check_lost(Errc::card_removed, 1);
    CHECK(bench.reader->wait_for_card(20s));
    go_on.set_value();
    REQUIRE(seen_again.get_future().wait_for(20s) == std::future_status::ready);
    monitor->stop();
    CHECK(told == std::vector{EventKind::service_up, EventKind::reader_arrived, EventKind::card_in,
                              EventKind::card_out, EventKind::card_in});
}
