// SPDX-License-Identifier: Apache-2.0
// The monitor.
#include <poll.h>

#include <ctime>
#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "stand.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

std::string text(const ReaderEvent& event)
{
    return event.reader.empty() ? name(event.kind) : name(event.kind) + (" " + event.reader);
}

std::vector<std::string> take(ReaderMonitor& monitor, std::size_t count)
{
    std::vector<std::string> events;
    while (events.size() < count) {
        const auto event = monitor.wait(20s);
        if (!event) {
            events.push_back(event.error().message());
            break;
        }
        events.push_back(text(*event));
    }
    return events;
}

using Events = std::vector<std::string>;

// What a monitor begins with.
Events all_arrive(const Stand& stand)
{
    Events events = {"service_up"};
    for (const auto& name : stand.names()) events.push_back("reader_arrived " + name);
    return events;
}

std::unique_ptr<ReaderMonitor> watching(Stand& stand)
{
    auto monitor = stand.driver().monitor({}).value();
    const auto start = all_arrive(stand);
    CHECK(take(*monitor, start.size()) == start);
    return monitor;
}

double processor_seconds()
{
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace

TEST_CASE("a monitor begins with what is there", "[monitor]")
{
    Stand stand;
    const auto card = stand.insert(1, Stand::nothing_known, t0_atr);
    REQUIRE(stand.reader(1)->wait_for_card(10s));
    const auto monitor = watching(stand);
    const auto in = monitor->wait(20s);
    REQUIRE(in);
    CHECK(text(*in) == "card_in " + stand.name(1));
    CHECK(bytes_of(in->atr.bytes()) == t0_atr);
    CHECK(!monitor->next());
    CHECK(monitor->wait(20ms).error().code == Errc::timed_out);
}

TEST_CASE("cards that come and go are events of their reader", "[monitor]")
{
    Stand stand;
    const auto monitor = watching(stand);
    auto card = stand.insert(0);
    CHECK(take(*monitor, 1) == std::vector{"card_in " + stand.name()});
    const auto other = stand.insert(1);
    CHECK(take(*monitor, 1) == std::vector{"card_in " + stand.name(1)});
    card.reset();
    CHECK(take(*monitor, 1) == std::vector{"card_out " + stand.name()});
}

TEST_CASE("the descriptor is readable while an event waits, and after the end", "[monitor]")
{
    Stand stand;
    const auto monitor = stand.driver().monitor({}).value();
    const auto readable = [&](int timeout) {
        pollfd item{.fd = monitor->descriptor(), .events = POLLIN, .revents = 0};
        return poll(&item, 1, timeout) == 1;
    };
    const auto start = all_arrive(stand);
    Events events;
    while (events.size() < start.size()) {
        REQUIRE(readable(20'000));
        if (const auto event = monitor->next()) events.push_back(text(*event));
    }
    CHECK(events == start);
    CHECK(!readable(0));
    monitor->stop();
    CHECK(readable(0));
    CHECK(!monitor->next());
    CHECK(monitor->wait(10s).error().code == Errc::cancelled);
}

TEST_CASE("a callback gets the events in order, and may end the monitor", "[monitor]")
{
    Stand stand;
    std::promise<ReaderMonitor*> itself;
    std::promise<void> ended;
    auto shared = itself.get_future().share();
    std::vector<std::string> events;
    const auto monitor = stand.driver()
                             .monitor([&](const ReaderEvent& event) {
                                 events.push_back(text(event));
                                 if (events.size() != 2) return;
                                 shared.get()->stop();
                                 ended.set_value();
                             })
                             .value();
    itself.set_value(monitor.get());
    REQUIRE(ended.get_future().wait_for(20s) == std::future_status::ready);
    CHECK(monitor->wait(10s).error().code == Errc::cancelled);
    CHECK(events == Events{"service_up", "reader_arrived " + stand.name()});
}

TEST_CASE("a monitor outlives pcscd, and says so", "[service]")
{
    Stand stand;
    const auto monitor = watching(stand);
    for (const int signal : {SIGTERM, SIGKILL}) {
        auto card = stand.insert(0);
        CHECK(take(*monitor, 1) == std::vector{"card_in " + stand.name()});
        stand.service().stop(signal);
        Events all_leave = {"card_out " + stand.name()};
        for (const auto& name : stand.names()) all_leave.push_back("reader_left " + name);
        all_leave.emplace_back("service_down");
        CHECK(take(*monitor, all_leave.size()) == all_leave);
        card.reset();
        stand.service().start();
        auto events = take(*monitor, 1 + stand.names().size());
        std::ranges::sort(events);
        auto expected = all_arrive(stand);
        std::ranges::sort(expected);
        CHECK(events == expected);
    }
}

TEST_CASE("a monitor without readers or service sleeps", "[service]")
{
    Stand stand({}, Stand::Readers::none);
    const auto monitor = stand.driver().monitor({}).value();
    CHECK(take(*monitor, 1) == Events{"service_up"});
    const double before = processor_seconds();
    CHECK(monitor->wait(1200ms).error().code == Errc::timed_out);
    stand.service().stop(SIGKILL);
    CHECK(take(*monitor, 1) == Events{"service_down"});
    CHECK(monitor->wait(1200ms).error().code == Errc::timed_out);
    // Whoever spins needs all of the 2.4 seconds.
    CHECK(processor_seconds() - before < 1.0);
}

TEST_CASE("a monitor ends from any thread, whatever it waits for", "[monitor]")
{
    Stand stand;
    for (int i = 0; i < 200; ++i) {
        const auto monitor = stand.driver().monitor({}).value();
        std::thread other([&, moment = i * 20us] {
            std::this_thread::sleep_for(moment);  // before, in and after the first events
            monitor->stop();
        });
        while (monitor->wait(20s)) {
        }
        other.join();
        CHECK(monitor->wait(0ms).error().code == Errc::cancelled);
    }
}

TEST_CASE("taps that are too quick to be seen are paired all the same", "[monitor]")
{
    Stand stand;
    const auto monitor = watching(stand);
    const auto reader = stand.reader();
    for (int i = 0; i < 3; ++i) {
        auto card = stand.insert(0);
        REQUIRE(reader->wait_for_card(10s));
        card.reset();
        REQUIRE(reader->wait_for_removal(10s));
    }
    std::vector<std::string> expected;
    for (int i = 0; i < 3; ++i) {
        expected.push_back("card_in " + stand.name());
        expected.push_back("card_out " + stand.name());
    }
    CHECK(take(*monitor, 6) == expected);
    CHECK(!monitor->next());
}

TEST_CASE("a monitor sees all readers that pcscd has room for", "[service][full]")
{
    Stand stand({}, Stand::Readers::full);
    REQUIRE(stand.names().size() == 16);
    const auto monitor = watching(stand);
    std::vector<std::unique_ptr<VpcdCard>> cards;
    for (const auto slot : {0U, 7U, 15U}) {
        cards.push_back(stand.insert(slot));
        CHECK(take(*monitor, 1) == std::vector{"card_in " + stand.name(slot)});
    }
    // A monitor that cannot wait reports the service as gone, again and again.
    CHECK(monitor->wait(1200ms).error().code == Errc::timed_out);
    cards.pop_back();
    CHECK(take(*monitor, 1) == std::vector{"card_out " + stand.name(15)});
}

TEST_CASE("two hundred taps of 10 ms are paired", "[monitor]")
{
    const auto taps = Stand::takes_cards_at_once() ? 200U : 10U;
    Stand stand;
    const auto monitor = watching(stand);
    for (std::size_t i = 0; i < taps; ++i) {
        const auto card = stand.insert(0);
        std::this_thread::sleep_for(10ms);
    }
    // What comes on top is the end of the taps.
    const auto last = stand.insert(1);
    std::size_t seen = 0;
    for (auto event = take(*monitor, 1); event[0] != "card_in " + stand.name(1);
         event = take(*monitor, 1)) {
        CHECK(event == Events{(seen % 2 == 0 ? "card_in " : "card_out ") + stand.name()});
        REQUIRE(++seen <= 2 * taps);
    }
    while (seen % 2 == 1) {
        CHECK(take(*monitor, 1) == Events{"card_out " + stand.name()});
        ++seen;
    }
    // The other reader's card may be seen before those that wait for vpcd to take them.
    if (Stand::takes_cards_at_once()) CHECK(seen > 0);
    if (Stand::sees_every_tap()) CHECK(seen == 2 * taps);
    WARN("taps seen: " << seen / 2 << " of " << taps);
}
