// SPDX-License-Identifier: Apache-2.0
// What an observer sees, and that an exchange allocates nothing.
#include <algorithm>
#include <cstdlib>
#include <new>

#include <catch2/catch.hpp>

#include "support/paper_card.hpp"

using namespace tallycard;
using namespace testing;

namespace {
thread_local std::size_t allocations = 0;
}

void* operator new(std::size_t size)
{
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept
{
    ++allocations;
    return std::malloc(size);
}
void operator delete(void* memory) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}

namespace {

struct Notes final : Observer {
    struct Seen {
        std::uint8_t ins;
        std::size_t command_size, response_size;
        Bytes command, response;
        StatusWord sw;
    };
    std::vector<Seen> seen;

    void exchanged(const Exchange& exchange) noexcept override
    {
        seen.push_back({exchange.header.ins, exchange.command_data_size,
                        exchange.response_data_size, bytes_of(exchange.command_data),
                        bytes_of(exchange.response_data), exchange.sw});
    }
};

struct Silent final : Observer {
    std::size_t count = 0;
    void exchanged(const Exchange&) noexcept override { ++count; }
};

}  // namespace

TEST_CASE("an observer sees commands and answers", "[card]")
{
    PaperCard card;
    ScriptedLink link(card.script());
    Notes notes;
    auto session = CardSession::begin(link, card.root.public_key(), &notes);
    REQUIRE(session);
    REQUIRE(notes.seen.size() == 1);
    CHECK(notes.seen[0].ins == 0xA4);
    CHECK(notes.seen[0].command == from_hex("f054414c4c594341524401"));
    CHECK(notes.seen[0].response == bytes_of(card.info.encode().bytes()));
    CHECK(notes.seen[0].sw.ok());
}

TEST_CASE("an observer never sees a PIN or a sealed key, and sees the tries left", "[card]")
{
    PaperCard card;
    card.put_status(0x20, 0x63C1);
    card.put_status(0x24, 0x9000);
    card.put_status(0xE2, 0x6985);
    ScriptedLink link(card.script());
    Notes notes;
    auto session = CardSession::begin(link, card.root.public_key(), &notes);
    REQUIRE(session);
    notes.seen.clear();
    const auto planted = secret_of<PinBlock>(0xB7);
    CHECK(!session->verify_pin(planted));
    CHECK(session->change_pin(planted, planted));
    CHECK(!session->personalise(Bytes(40, 0xB7)));
    REQUIRE(notes.seen.size() == 3);
    for (const auto& seen : notes.seen) {
        CHECK(seen.command.empty());
        CHECK(seen.response.empty());
    }
    CHECK(notes.seen[0].command_size == 8);
    CHECK(notes.seen[0].sw.tries_left() == 1u);
    CHECK(notes.seen[1].command_size == 16);
    CHECK(notes.seen[2].command_size == 40);
}

TEST_CASE("an answer that never came is seen as status word 0000", "[card]")
{
    PaperCard card;
    bool gone = false;
    ScriptedLink link([&](ScriptedLink::Bytes command) -> Result<ScriptedLink::Bytes> {
        if (gone) return Error{.code = Errc::card_removed, .where = "script"};
        return ScriptedLink::Bytes(card.answers.at(command[1]));
    });
    Notes notes;
    auto session = CardSession::begin(link, card.root.public_key(), &notes);
    REQUIRE(session);
    gone = true;
    CHECK(!session->limits());
    CHECK(notes.seen.back().sw == StatusWord());
}

TEST_CASE("no exchange allocates memory", "[card]")
{
    PaperCard card;
    const auto operation = card.top_up();
    card.put(0x32, card.receipt_of(operation).encode());
    card.put(0x84, Bytes(16, 7));
    card.put_status(0x20, 0x63C1);
    ScriptedLink link(card.script());
    Silent observer;
    const FirstInstruction first{.operation = operation, .issuer_signature = {}};
    const auto pin = secret_of<PinBlock>(0x24);
    std::array<std::uint8_t, 16> random{};

    const auto before = allocations;
    auto session = CardSession::begin(link, card.root.public_key(), &observer);
    const bool executed = session && session->execute(first);
    const bool challenged = session && session->challenge(random);
    const bool verified = session && session->verify_pin(pin);
    const auto after = allocations;

    CHECK(executed);
    CHECK(challenged);
    CHECK(!verified);
    CHECK(observer.count == 4);
    CHECK(after == before);
    const Bytes one(1);
    CHECK(allocations > after);
}
