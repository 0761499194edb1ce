// SPDX-License-Identifier: Apache-2.0
// Links and sessions.
#include <catch2/catch.hpp>

#include <tallycard/card_session.hpp>
#include <tallycard/pcsc.hpp>

#include "other_program.hpp"
#include "stand.hpp"
#include "support/paper_card.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

// A paper card in the first reader, and a link to it.
struct Table {
    explicit Table(const Bytes& atr = stand_atr)
        : vpcd(stand.insert(
              0, [this](auto c) { return answer(c); }, atr))
    {
        REQUIRE(reader->wait_for_card(10s));
        link = reader->connect(Sharing::shared).value();
    }

    std::optional<Bytes> answer(std::span<const std::uint8_t> command)
    {
        if (leaves_at == command[1]) return std::nullopt;
        if (kills_at == command[1]) stand.service().stop(SIGKILL);
        const auto found = card.answers.find(command[1]);
        if (found == card.answers.end()) return from_hex("6d00");
        return found->second;
    }

    Stand stand;
    PaperCard card;
    std::atomic<int> leaves_at = -1, kills_at = -1;
    std::unique_ptr<Reader> reader = stand.reader();
    std::unique_ptr<VpcdCard> vpcd;
    std::unique_ptr<CardLink> link;
};

}  // namespace

TEST_CASE("a session runs", "[link]")
{
    Table table;
    CHECK(bytes_of(table.link->atr().bytes()) == stand_atr);
    CHECK(table.link->protocol() == stand_protocol);
    auto session = CardSession::begin(*table.link, table.card.root.public_key());
    REQUIRE(session);
    CHECK(session->info() == table.card.info);
    const auto operation = table.card.top_up();
    table.card.put(0x32, table.card.receipt_of(operation).encode());
    CHECK(session->execute({.operation = operation, .issuer_signature = {}}));
}

TEST_CASE("a T=0 card is spoken to in T=0, with GET RESPONSE", "[link]")
{
    Table table(t0_atr);
    CHECK(table.link->protocol() == TransmissionProtocol::t0);
    auto whole = table.card.answers.at(0xA4);
    const auto size = static_cast<std::uint8_t>(whole.size() - 2);
    table.card.put_status(0xA4, static_cast<std::uint16_t>(0x6100 + size));
    table.card.answers[0xC0] = whole;
    const auto session = CardSession::begin(*table.link, table.card.root.public_key());
    REQUIRE(session);
    CHECK(session->info() == table.card.info);
    CHECK(table.vpcd->commands() == 2);
}

TEST_CASE("exclusive and shared keep each other out", "[link]")
{
    Table table;
    const auto refused = table.reader->connect(Sharing::exclusive);
    CHECK(refused.error().code == Errc::card_shared);
    CHECK(refused.error().holder == static_cast<std::uint32_t>(getpid()));
    CHECK(table.reader->connect(Sharing::shared));
    table.link.reset();
    const auto exclusive = table.reader->connect(Sharing::exclusive);
    REQUIRE(exclusive);
    CHECK(table.reader->connect(Sharing::shared).error().code == Errc::card_shared);
    CHECK(CardSession::begin(**exclusive, table.card.root.public_key()));
}

TEST_CASE("closing a link leaves the card as it is", "[link]")
{
    Table table;
    const auto before = table.vpcd->resets();
    table.link.reset();
    table.link = table.reader->connect(Sharing::shared).value();
    CHECK(table.vpcd->resets() == before);
    CHECK(CardSession::begin(*table.link, table.card.root.public_key()));
}

TEST_CASE("a reset by another program is typed, and begin goes on after it", "[service]")
{
    Table table;
    reset_by_another_program(table.stand.name());
    const auto begun = table.link->begin();
    REQUIRE(!begun);
    CHECK(begun.error().code == Errc::card_reset);
    CHECK(CardSession::begin(*table.link, table.card.root.public_key()));
    reset_by_another_program(table.stand.name());
    CHECK(CardSession::begin(*table.link, table.card.root.public_key()));
}

TEST_CASE("a card that leaves in the middle of EXECUTE leaves doubt", "[link]")
{
    Table table;
    auto session = CardSession::begin(*table.link, table.card.root.public_key());
    REQUIRE(session);
    table.leaves_at = 0x32;
    const FirstInstruction first{.operation = table.card.top_up(), .issuer_signature = {}};
    const auto answer = session->execute(first);
    REQUIRE(!answer);
    CHECK((answer.error().code == Errc::link_failed || answer.error().code == Errc::card_removed));
    CHECK(answer.error().effect == Effect::unknown);
    Stand::require_removal(*table.reader);
    const auto later = session->limits();
    REQUIRE(!later);
    CHECK(later.error().code == Errc::card_removed);
}

TEST_CASE("an answer of one byte leaves doubt", "[link]")
{
    Table table;
    auto session = CardSession::begin(*table.link, table.card.root.public_key());
    REQUIRE(session);
    table.card.answers[0x32] = {0x90};
    const auto answer =
        session->execute({.operation = table.card.top_up(), .issuer_signature = {}});
    REQUIRE(!answer);
    CHECK(answer.error().code == Errc::link_failed);
    CHECK(answer.error().effect == Effect::unknown);
    std::array<std::uint8_t, 258> buffer{};
    const auto bare = table.link->transmit(from_hex("8032000000"), buffer);
    REQUIRE(!bare);
    CHECK(bare.error().code == Errc::link_failed);
    CHECK(bare.error().effect == Effect::unknown);
}

TEST_CASE("a foreign card and a blank card are told apart", "[link]")
{
    Table table(from_hex("3b00"));
    table.card.put_status(0xA4, 0x6A82);
    const auto foreign = CardSession::begin(*table.link, table.card.root.public_key());
    REQUIRE(!foreign);
    CHECK(foreign.error().code == Errc::foreign_card);
    table.card.put(0xA4, CardInfo{}.encode());
    const auto blank = CardSession::begin(*table.link, table.card.root.public_key());
    REQUIRE(blank);
    CHECK(blank->info().state == CardState::blank);
}

TEST_CASE("pcscd that dies in the middle of EXECUTE leaves doubt", "[service]")
{
    Table table;
    auto session = CardSession::begin(*table.link, table.card.root.public_key());
    REQUIRE(session);
    table.kills_at = 0x32;
    const auto answer =
        session->execute({.operation = table.card.top_up(), .issuer_signature = {}});
    REQUIRE(!answer);
    CHECK(answer.error().code == Errc::service_unavailable);
    CHECK(answer.error().effect == Effect::unknown);
}
