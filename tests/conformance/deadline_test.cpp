// SPDX-License-Identifier: Apache-2.0
// Calls that do not return by themselves.
#include <atomic>
#include <future>
#include <thread>

#include <catch2/catch.hpp>

#include "stand.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array<std::uint8_t, 5> command = {0x00, 0x84, 0x00, 0x00, 0x08};

constexpr Deadlines short_ones{.connect = 300ms, .begin = 300ms, .transmit = 300ms};

// Answers until it is told to be mute; then takes the command and says nothing until it is
// released, which takes it out of the reader.
class MutableCard {
public:
    MutableCard(const Stand& stand, std::size_t slot)
        : inserted_(stand.insert(slot, [this](auto) -> std::optional<Bytes> {
              if (!mute) return from_hex("01020304050607089000");
              released_.wait();
              return std::nullopt;
          }))
    {
    }
    MutableCard(const MutableCard&) = delete;
    MutableCard& operator=(const MutableCard&) = delete;
    ~MutableCard() { gate_.set_value(); }

    std::atomic<bool> mute = false;

private:
    std::promise<void> gate_;
    std::shared_future<void> released_ = gate_.get_future().share();
    std::unique_ptr<VpcdCard> inserted_;
};

Result<std::size_t> ask(CardLink& link)
{
    std::array<std::uint8_t, 258> answer;
    return link.transmit(command, answer);
}

std::unique_ptr<Reader> reader_with_card(Stand& stand, std::size_t slot = 0)
{
    auto reader = stand.reader(slot);
    REQUIRE(reader->wait_for_card(10s));
    return reader;
}

}  // namespace

TEST_CASE("a card that does not answer is given up at the deadline", "[deadline]")
{
    Stand stand(short_ones);
    auto mute = std::make_unique<MutableCard>(stand, 0);
    const MutableCard talking(stand, 1);
    const auto reader = reader_with_card(stand), other = reader_with_card(stand, 1);
    const auto link = reader->connect(Sharing::shared).value();
    const auto other_link = other->connect(Sharing::shared).value();
    REQUIRE(ask(*link));
    mute->mute = true;

    const auto start = Clock::now();
    const auto answer = ask(*link);
    const auto took = Clock::now() - start;
    REQUIRE(!answer);
    CHECK(answer.error().code == Errc::timed_out);
    CHECK(answer.error().effect == Effect::unknown);
    CHECK(took >= 300ms);
    CHECK(took < 5s);

    SECTION("the link stays failed, and what was not sent had no effect")
    {
        const auto later = ask(*link);
        REQUIRE(!later);
        CHECK(later.error().effect == Effect::none);
        CHECK(!link->begin());
    }
    SECTION("other readers do not notice")
    {
        CHECK(ask(*other_link));
        CHECK(stand.driver().list().value() == stand.names());
    }
    SECTION("the reader is usable again when the card is")
    {
        mute.reset();
        mute = std::make_unique<MutableCard>(stand, 0);
        wait_until("the new card answers", [&] { return link->reconnect() && ask(*link); });
        CHECK(reader->connect(Sharing::shared));
    }
}

TEST_CASE("a call that returns in time is not disturbed by the deadline of one before",
          "[deadline]")
{
    Stand stand(short_ones);
    const MutableCard card(stand, 0);
    const auto link = reader_with_card(stand)->connect(Sharing::shared).value();
    const auto end = Clock::now() + 1s;
    int answered = 0;
    while (Clock::now() < end) {
        REQUIRE(ask(*link));
        ++answered;
    }
    CHECK(answered > 10);
}

TEST_CASE("another link's transaction holds begin no longer than the deadline", "[deadline]")
{
    Stand stand(short_ones);
    const MutableCard card(stand, 0);
    const auto link = reader_with_card(stand)->connect(Sharing::shared).value();
    const auto holder = reader_with_card(stand)->connect(Sharing::shared).value();
    REQUIRE(holder->begin());
    const auto start = Clock::now();
    const auto begun = link->begin();
    CHECK(begun.error().code == Errc::timed_out);
    CHECK(begun.error().effect == Effect::none);
    CHECK(Clock::now() - start < 5s);

    REQUIRE(holder->end());
    wait_until("the link is made anew", [&] { return link->reconnect().has_value(); });
    CHECK(link->begin());
    CHECK(ask(*link));
    CHECK(link->end());
}

TEST_CASE("links of other threads have deadlines of their own", "[deadline]")
{
    Stand stand(short_ones);
    const MutableCard first(stand, 0), second(stand, 1);
    constexpr int rounds = 20;
    std::atomic<int> failed = 0;
    const auto use = [&](Reader& reader) {
        for (int i = 0; i < rounds; ++i) {
            if (!reader.wait_for_card(10s)) ++failed;
            const auto link = reader.connect(Sharing::shared);
            if (!link || !ask(**link)) ++failed;
        }
    };
    const auto one = stand.reader(0), two = stand.reader(1);
    std::thread other([&] { use(*two); });
    use(*one);
    other.join();
    CHECK(failed == 0);
}
