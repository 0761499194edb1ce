// SPDX-License-Identifier: Apache-2.0
// Listing readers and waiting for cards.
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include <catch2/catch.hpp>

#include "stand.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

// Until the thread has slept for a while, as it does once the service knows of its wait; what it
// asks the service before that takes no time.
void wait_until_asleep(pid_t thread)
{
    int asleep = 0;
    wait_until("the waiting thread sleeps", [&] {
        std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
        const std::string stat(std::istreambuf_iterator<char>(file), {});
        asleep = stat.find(") S ") != std::string::npos ? asleep + 1 : 0;
        return asleep == 4;
    });
}

}  // namespace

TEST_CASE("without pcscd there is no service, and that is said at once", "[service]")
{
    const auto start = Clock::now();
    const auto driver = open_pcsc();
    REQUIRE(!driver);
    CHECK(driver.error().code == Errc::service_unavailable);
    CHECK(driver.error().detail == 0x8010001D);
    CHECK(Clock::now() - start < 1s);
}

TEST_CASE("no reader is an empty list", "[service]")
{
    Stand stand({}, Stand::Readers::none);
    const auto names = stand.driver().list();
    REQUIRE(names);
    CHECK(names->empty());
    CHECK(stand.driver().open("any").error().code == Errc::reader_unavailable);
}

TEST_CASE("readers are listed by name, and an unknown name is refused", "[list]")
{
    Stand stand;
    auto& driver = stand.driver();
    const auto names = driver.list().value();
    REQUIRE(names.size() >= Stand::readers_wanted());
    CHECK(names == stand.names());
    const auto part = names[0].substr(0, names[0].size() - 1);
    CHECK(driver.open(part).error().code == Errc::reader_unavailable);
    CHECK(driver.open(names.back()).value()->name() == names.back());
}

TEST_CASE("a reader without a card says so, and a wait ends at its deadline", "[wait]")
{
    Stand stand;
    auto reader = stand.reader();
    CHECK(reader->card().error().code == Errc::no_card);
    CHECK(reader->connect(Sharing::shared).error().code == Errc::no_card);
    CHECK(reader->wait_for_removal(0ms));
    for (const auto deadline : {0ms, 1ms, 150ms, 450ms}) {
        const auto start = Clock::now();
        const auto waited = reader->wait_for_card(deadline);
        const auto took = Clock::now() - start;
        REQUIRE(!waited);
        CHECK(waited.error().code == Errc::timed_out);
        CHECK(took >= deadline);
        CHECK(took < deadline + 250ms);
    }
}

TEST_CASE("a wait returns when the card comes, and when it goes", "[wait]")
{
    Stand stand;
    auto reader = stand.reader();
    std::unique_ptr<VpcdCard> card;
    std::thread hand([&] { card = stand.insert(); });
    const auto atr = reader->wait_for_card(10s);
    hand.join();
    REQUIRE(atr);
    CHECK(bytes_of(atr->bytes()) == stand_atr);
    CHECK(reader->card());
    CHECK(reader->wait_for_removal(50ms).error().code == Errc::timed_out);
    std::thread other_hand([&] { card.reset(); });
    CHECK(reader->wait_for_removal(10s));
    other_hand.join();
    CHECK(reader->card().error().code == Errc::no_card);
}

TEST_CASE("the other reader's card is not this one's", "[wait]")
{
    Stand stand;
    const auto card = stand.insert(1, Stand::nothing_known, t0_atr);
    auto second = stand.reader(1);
    const auto atr = second->wait_for_card(10s);
    REQUIRE(atr);
    CHECK(bytes_of(atr->bytes()) == t0_atr);
    CHECK(stand.reader()->card().error().code == Errc::no_card);
}

TEST_CASE("a card that was taken out and put back is a removal", "[wait]")
{
    Stand stand;
    auto reader = stand.reader(), witness = stand.reader();
    auto card = stand.insert();
    REQUIRE(reader->wait_for_card(10s));
    card.reset();
    REQUIRE(witness->wait_for_removal(10s));
    card = stand.insert();
    REQUIRE(witness->wait_for_card(10s));
    CHECK(reader->wait_for_removal(0ms));
    CHECK(reader->wait_for_card(0ms));
    CHECK(reader->wait_for_removal(0ms).error().code == Errc::timed_out);
}

TEST_CASE("cancel ends a wait of another thread, whenever it comes", "[wait]")
{
    Stand stand;
    auto reader = stand.reader();
    int cancelled = 0, at_once = 0;
    Clock::duration longest{};
    for (int i = 0; i < 1500; ++i) {
        std::atomic<bool> begun = false;
        Clock::time_point asked;
        std::thread other([&] {
            while (!begun) std::this_thread::yield();
            // Before the service knows of the wait, and after.
            const auto moment = Clock::now() + i * 1us;
            while (Clock::now() < moment) std::this_thread::yield();
            asked = Clock::now();
            reader->cancel();
        });
        begun = true;
        const auto waited = reader->wait_for_card(10s);
        const auto ended = Clock::now();
        other.join();
        longest = std::max(longest, ended - asked);
        if (ended - asked < 50ms) ++at_once;
        if (!waited && waited.error().code == Errc::cancelled) ++cancelled;
    }
    CHECK(cancelled == 1500);
    CHECK(at_once > 1000);
    CHECK(longest < 400ms);
}

TEST_CASE("cancel before a wait ends that wait, and that one only", "[wait]")
{
    Stand stand;
    auto reader = stand.reader();
    reader->cancel();
    CHECK(reader->wait_for_card(10s).error().code == Errc::cancelled);
    CHECK(reader->wait_for_card(20ms).error().code == Errc::timed_out);
}

TEST_CASE("pcscd that stops ends a wait, and a new one is found again", "[service]")
{
    Stand stand;
    auto& driver = stand.driver();
    auto reader = stand.reader();
    for (const int signal : {SIGTERM, SIGKILL}) {
        std::thread killer([&, waiting = gettid()] {
            wait_until_asleep(waiting);
            stand.service().stop(signal);
        });
        const auto waited = reader->wait_for_card(10s);
        killer.join();
        REQUIRE(!waited);
        CHECK(waited.error().code == Errc::service_unavailable);
        CHECK(driver.list().error().code == Errc::service_unavailable);
        CHECK(reader->card().error().code == Errc::service_unavailable);

        stand.service().start();
        wait_until("the readers are there", [&] { return driver.list().value().size() >= 2; });
        auto card = stand.insert();
        CHECK(reader->wait_for_card(10s));
        card.reset();
        CHECK(reader->wait_for_removal(10s));
    }
}

TEST_CASE("a reader that the service no longer has is unavailable", "[service]")
{
    auto before = std::make_unique<Stand>();
    auto reader = before->reader();
    REQUIRE(reader->card().error().code == Errc::no_card);
    before.reset();
    Stand after({}, Stand::Readers::none);
    CHECK(reader->card().error().code == Errc::reader_unavailable);
    CHECK(reader->wait_for_card(10s).error().code == Errc::reader_unavailable);
    CHECK(reader->connect(Sharing::shared).error().code == Errc::reader_unavailable);
}
