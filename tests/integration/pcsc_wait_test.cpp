// SPDX-License-Identifier: Apache-2.0
// Listing readers and waiting for cards, through a real pcscd with vpcd.
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include <tallycard/pcsc.hpp>

#include "support/pcscd_process.hpp"
#include "support/vpcd_card.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

const std::string first_reader = "Virtual PCD 00 00", second_reader = "Virtual PCD 00 01";

std::optional<Bytes> nothing_known(std::span<const std::uint8_t>)
{
    return from_hex("6d00");
}

std::unique_ptr<VpcdCard> insert(int slot = 0, const Bytes& atr = t1_atr)
{
    return std::make_unique<VpcdCard>(slot, atr, nothing_known);
}

std::unique_ptr<Reader> open_reader(const std::string& name = first_reader)
{
    auto driver = open_pcsc().value();
    return driver->open(name).value();
}

}  // namespace

TEST_CASE("without pcscd there is no service, and that is said at once", "[pcsc][service]")
{
    const auto start = Clock::now();
    const auto driver = open_pcsc();
    REQUIRE(!driver);
    CHECK(driver.error().code == Errc::service_unavailable);
    CHECK(driver.error().detail == 0x8010001D);
    CHECK(Clock::now() - start < 1s);
}

TEST_CASE("no reader is an empty list", "[pcsc][list]")
{
    const PcscdProcess pcscd(PcscdProcess::Readers::none);
    auto driver = open_pcsc().value();
    const auto names = driver->list();
    REQUIRE(names);
    CHECK(names->empty());
    CHECK(driver->open(first_reader).error().code == Errc::reader_unavailable);
}

TEST_CASE("readers are listed by name, and an unknown name is refused", "[pcsc][list]")
{
    const PcscdProcess pcscd;
    auto driver = open_pcsc().value();
    CHECK(driver->list().value() == std::vector{first_reader, second_reader});
    CHECK(driver->open("Virtual PCD").error().code == Errc::reader_unavailable);
    CHECK(driver->open(second_reader).value()->name() == second_reader);
}

TEST_CASE("a reader without a card says so, and a wait ends at its deadline", "[pcsc][wait]")
{
    const PcscdProcess pcscd;
    auto reader = open_reader();
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

TEST_CASE("a wait returns when the card comes, and when it goes", "[pcsc][wait]")
{
    const PcscdProcess pcscd;
    auto reader = open_reader();
    std::unique_ptr<VpcdCard> card;
    std::thread hand([&] { card = insert(); });
    const auto atr = reader->wait_for_card(10s);
    hand.join();
    REQUIRE(atr);
    CHECK(bytes_of(atr->bytes()) == t1_atr);
    CHECK(reader->card());
    CHECK(reader->wait_for_removal(50ms).error().code == Errc::timed_out);
    std::thread other_hand([&] { card.reset(); });
    CHECK(reader->wait_for_removal(10s));
    other_hand.join();
    CHECK(reader->card().error().code == Errc::no_card);
}

TEST_CASE("the other reader's card is not this one's", "[pcsc][wait]")
{
    const PcscdProcess pcscd;
    const auto card = insert(1, t0_atr);
    auto second = open_reader(second_reader);
    const auto atr = second->wait_for_card(10s);
    REQUIRE(atr);
    CHECK(bytes_of(atr->bytes()) == t0_atr);
    CHECK(open_reader(first_reader)->card().error().code == Errc::no_card);
}

TEST_CASE("a card that was taken out and put back is a removal", "[pcsc][wait]")
{
    const PcscdProcess pcscd;
    auto reader = open_reader(), witness = open_reader();
    auto card = insert();
    REQUIRE(reader->wait_for_card(10s));
    card.reset();
    REQUIRE(witness->wait_for_removal(10s));
    card = insert();
    REQUIRE(witness->wait_for_card(10s));
    CHECK(reader->wait_for_removal(0ms));
    CHECK(reader->wait_for_card(0ms));
    CHECK(reader->wait_for_removal(0ms).error().code == Errc::timed_out);
}

TEST_CASE("cancel ends a wait of another thread, whenever it comes", "[pcsc][wait]")
{
    const PcscdProcess pcscd;
    auto reader = open_reader();
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

TEST_CASE("cancel before a wait ends that wait, and that one only", "[pcsc][wait]")
{
    const PcscdProcess pcscd;
    auto reader = open_reader();
    reader->cancel();
    CHECK(reader->wait_for_card(10s).error().code == Errc::cancelled);
    CHECK(reader->wait_for_card(20ms).error().code == Errc::timed_out);
}

TEST_CASE("pcscd that stops ends a wait, and a new one is found again", "[pcsc][service]")
{
    PcscdProcess pcscd;
    auto driver = open_pcsc().value();
    auto reader = driver->open(first_reader).value();
    for (const int signal : {SIGTERM, SIGKILL}) {
        std::thread killer([&] {
            std::this_thread::sleep_for(100ms);
            pcscd.stop(signal);
        });
        const auto waited = reader->wait_for_card(10s);
        killer.join();
        REQUIRE(!waited);
        CHECK(waited.error().code == Errc::service_unavailable);
        CHECK(driver->list().error().code == Errc::service_unavailable);
        CHECK(reader->card().error().code == Errc::service_unavailable);

        pcscd.start();
        CHECK(driver->list().value().size() == 2);
        auto card = insert();
        CHECK(reader->wait_for_card(10s));
        card.reset();
        CHECK(reader->wait_for_removal(10s));
    }
}

TEST_CASE("a reader that the service no longer has is unavailable", "[pcsc][service]")
{
    auto before = std::make_unique<PcscdProcess>();
    auto reader = open_reader();
    REQUIRE(reader->card().error().code == Errc::no_card);
    before.reset();
    const PcscdProcess after(PcscdProcess::Readers::none);
    CHECK(reader->card().error().code == Errc::reader_unavailable);
    CHECK(reader->wait_for_card(10s).error().code == Errc::reader_unavailable);
    CHECK(reader->connect(Sharing::shared).error().code == Errc::reader_unavailable);
}
