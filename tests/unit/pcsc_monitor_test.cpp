// SPDX-License-Identifier: Apache-2.0
// Monitor and readers over a service that gives odd answers.
#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

#include <tallycard/pcsc.hpp>

#include "fuzz/fake_service.hpp"
#include "support/wait_until.hpp"

using namespace tallycard;
using namespace std::chrono_literals;
using fuzz::FakeService;

namespace {

using Events = std::vector<std::string>;

std::string text(const ReaderEvent& event)
{
    return name(event.kind) + (event.reader.empty() ? "" : " " + event.reader);
}

Events take(ReaderMonitor& monitor, std::size_t count)
{
    Events events;
    while (events.size() < count) {
        const auto event = monitor.wait(20s);
        events.push_back(event ? text(*event) : event.error().message());
        if (!event) break;
    }
    return events;
}

// A service without faults but those of the test.
class Watched {
public:
    explicit Watched(std::size_t readers = 1)
    {
        FakeService::begin(1, 0, 60'000);
        Events expected{"service_up"};
        for (std::size_t i = 0; i < readers; ++i) {
            names_.push_back("reader " + std::to_string(10 + i));
            FakeService::plug(names_.back());
            expected.push_back("reader_arrived " + names_.back());
        }
        driver_ = open_pcsc().value();
        monitor_ = driver_->monitor({}).value();
        CHECK(take(*monitor_, expected.size()) == expected);
    }

    ReaderMonitor& monitor() { return *monitor_; }
    ReaderDriver& driver() { return *driver_; }
    const std::string& name(std::size_t i = 0) const { return names_.at(i); }
    // Events until the service has no odd answer left and nothing has come for longer than a torn
    // look is waited for.
    Events reported()
    {
        testing::wait_until("the odd answers were given", FakeService::was_odd_enough);
        Events events;
        while (const auto event = monitor_->wait(80ms)) events.push_back(text(*event));
        return events;
    }

private:
    std::vector<std::string> names_;
    std::unique_ptr<ReaderDriver> driver_;
    std::unique_ptr<ReaderMonitor> monitor_;
};

}  // namespace

TEST_CASE("a counter and a presence that are not of one moment are no tap, and no other reader",
          "[monitor]")
{
    Watched watched;
    const auto& reader = watched.name();
    FakeService::insert(reader);
    CHECK(take(watched.monitor(), 1) == Events{"card_in " + reader});
    for (const FakeService::Look& odd :
         std::vector<FakeService::Look>{
             {.has_card = false, .counter = 1},                     // not counted yet
             {.has_card = true, .counter = 2},                      // counted, not gone yet
             {.has_card = false, .counter = 0},                     // older
             {.has_card = true, .counter = 0},                      // older by half
             {.has_card = true, .counter = 1, .lacks_atr = true}})  // about to go
    {
        FakeService::show(reader, {odd, odd});
        CHECK(watched.reported().empty());
    }
    FakeService::show(reader, {{.has_card = false, .counter = 1}});
    FakeService::remove(reader);
    CHECK(take(watched.monitor(), 1) == Events{"card_out " + reader});
    CHECK(watched.reported().empty());
}

TEST_CASE("a counter that stays odd, goes back or wraps does not unplug a reader", "[monitor]")
{
    Watched watched;
    const auto& reader = watched.name();
    for (const auto counter : {std::uint16_t{1}, std::uint16_t{0}, std::uint16_t{0xFFFF}}) {
        FakeService::set(reader, {.has_card = false, .counter = counter});
        CHECK(watched.reported().empty());
    }
    FakeService::insert(reader);
    CHECK(take(watched.monitor(), 1) == Events{"card_in " + reader});
    FakeService::set(reader, {.has_card = true, .counter = 1});
    CHECK(take(watched.monitor(), 2) == Events{"card_out " + reader, "card_in " + reader});
    CHECK(watched.reported().empty());
}

TEST_CASE("a driver that fails has lost its card, and nobody spins until it recovers", "[monitor]")
{
    Watched watched;
    const auto& reader = watched.name();
    FakeService::insert(reader);
    CHECK(take(watched.monitor(), 1) == Events{"card_in " + reader});
    FakeService::set(reader, {.counter = 1, .is_unavailable = true});
    CHECK(take(watched.monitor(), 1) == Events{"card_out " + reader});
    const auto before = FakeService::status_calls();
    CHECK(watched.monitor().wait(200ms).error().code == Errc::timed_out);
    CHECK(FakeService::status_calls() - before < 1000);
    FakeService::set(reader, {.has_card = true, .counter = 2});
    CHECK(take(watched.monitor(), 1) == Events{"card_in " + reader});
    CHECK(watched.reported().empty());
}

TEST_CASE("more readers than one call takes are watched all the same", "[monitor]")
{
    const auto readers = GENERATE(15U, 16U, 17U, 40U);
    Watched watched(readers);
    for (std::size_t i = 0; i < readers; ++i) {
        FakeService::insert(watched.name(i));
        CHECK(take(watched.monitor(), 1) == Events{"card_in " + watched.name(i)});
    }
    FakeService::remove(watched.name(readers - 1));
    CHECK(take(watched.monitor(), 1) == Events{"card_out " + watched.name(readers - 1)});
    FakeService::unplug(watched.name(0));
    CHECK(take(watched.monitor(), 2) ==
          Events{"card_out " + watched.name(0), "reader_left " + watched.name(0)});
    FakeService::plug(watched.name(0));
    CHECK(take(watched.monitor(), 1) == Events{"reader_arrived " + watched.name(0)});
    CHECK(watched.reported().empty());
}

TEST_CASE("a list that lacks a reader once does not unplug it", "[monitor]")
{
    Watched watched;
    FakeService::hide_in_lists(watched.name(), 1);
    CHECK(watched.reported().empty());
    FakeService::hide_in_lists(watched.name(), 2);
    CHECK(take(watched.monitor(), 2) ==
          Events{"reader_left " + watched.name(), "reader_arrived " + watched.name()});
}

TEST_CASE("a call that fails says nothing about readers and cards", "[monitor]")
{
    Watched watched;
    const auto& reader = watched.name();
    FakeService::insert(reader);
    CHECK(take(watched.monitor(), 1) == Events{"card_in " + reader});
    int tried = 0;
    for (const LONG code :
         {SCARD_E_INVALID_PARAMETER, SCARD_E_NO_MEMORY, SCARD_F_INTERNAL_ERROR, SCARD_E_CANCELLED,
          SCARD_E_INVALID_VALUE, SCARD_F_UNKNOWN_ERROR, SCARD_E_UNSUPPORTED_FEATURE,
          SCARD_E_UNKNOWN_READER, SCARD_E_NOT_READY, LONG{0x80106666}}) {
        FakeService::fail_by(code, 2);
        CHECK(watched.reported().empty());
        FakeService::remove(reader);
        CHECK(take(watched.monitor(), 1) == Events{"card_out " + reader});
        FakeService::insert(reader);
        CHECK(take(watched.monitor(), 1) == Events{"card_in " + reader});
        ++tried;
    }
    CHECK(tried == 10);
    FakeService::fail_by(SCARD_E_SERVICE_STOPPED, 1);
    CHECK(take(watched.monitor(), 6) == Events{"card_out " + reader, "reader_left " + reader,
                                               "service_down", "service_up",
                                               "reader_arrived " + reader, "card_in " + reader});
}

TEST_CASE("a service whose calls go on failing is down until they work again", "[monitor]")
{
    Watched watched;
    FakeService::fail_by(SCARD_F_INTERNAL_ERROR, 1'000'000);
    CHECK(take(watched.monitor(), 2) == Events{"reader_left " + watched.name(), "service_down"});
    CHECK(watched.monitor().wait(1500ms).error().code == Errc::timed_out);
    FakeService::fail_by(SCARD_S_SUCCESS, 0);
    CHECK(take(watched.monitor(), 2) == Events{"service_up", "reader_arrived " + watched.name()});
}

TEST_CASE("a connection that fails for another reason than a missing service is tried again",
          "[monitor]")
{
    Watched watched;
    FakeService::fail_to_connect_by(SCARD_E_NO_MEMORY, 2);
    FakeService::fail_by(SCARD_F_INTERNAL_ERROR, 1);
    CHECK(watched.reported().empty());
}

TEST_CASE("a driver that failed before its reader was first seen makes no taps", "[monitor]")
{
    Watched watched;
    FakeService::set("reader 11", {.counter = 40, .is_unavailable = true});
    CHECK(take(watched.monitor(), 1) == Events{"reader_arrived reader 11"});
    FakeService::set("reader 11", {.has_card = true, .counter = 41});
    CHECK(take(watched.monitor(), 1) == Events{"card_in reader 11"});
    CHECK(watched.reported().empty());
}

TEST_CASE("a counter that follows the presence is no removal to who waits for one", "[monitor]")
{
    Watched watched;
    const auto& name = watched.name();
    const auto reader = watched.driver().open(name).value();
    std::uint16_t counter = 0;
    SECTION("at the first look")
    {
        FakeService::set(name, {.has_card = true, .counter = counter});
        REQUIRE(reader->wait_for_card(10s));
    }
    SECTION("when the card comes")
    {
        CHECK(reader->wait_for_card(0ms).error().code == Errc::timed_out);
        FakeService::set(name, {.has_card = true, .counter = counter});
        REQUIRE(reader->wait_for_card(10s));
    }
    FakeService::set(name, {.has_card = true, .counter = ++counter});
    CHECK(reader->wait_for_removal(20ms).error().code == Errc::timed_out);
    counter += 2;
    FakeService::set(name, {.has_card = true, .counter = counter});
    CHECK(reader->wait_for_removal(10s));
}

TEST_CASE("a card that was behind a driver that failed has been removed to who waits for that",
          "[monitor]")
{
    Watched watched;
    const auto& name = watched.name();
    const auto reader = watched.driver().open(name).value();
    FakeService::set(name, {.has_card = true, .counter = 4});
    REQUIRE(reader->wait_for_card(10s));
    FakeService::set(name, {.counter = 4, .is_unavailable = true});
    CHECK(reader->card().error().code == Errc::reader_unavailable);
    FakeService::set(name, {.has_card = true, .counter = 5});
    CHECK(reader->wait_for_removal(0ms));
    CHECK(reader->card());
}

TEST_CASE("another card is a removal where the service does not tell of it, too", "[monitor]")
{
    Watched watched;
    const auto& name = watched.name();
    FakeService::set(name, {.has_card = true, .counter = 0});
    const auto reader = watched.driver().open(name).value();
    REQUIRE(reader->wait_for_card(10s));
    std::thread hand([&] { FakeService::set(name, {.has_card = true, .counter = 2}); });
    CHECK(reader->wait_for_removal(10s));
    hand.join();
}
