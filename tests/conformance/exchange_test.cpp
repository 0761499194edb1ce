// SPDX-License-Identifier: Apache-2.0
// What passes between application and card, byte by byte.
#include "stand.hpp"

using namespace tallycard;
using namespace testing;
using namespace std::chrono_literals;

namespace {

struct Table {
    Table() : Table([this](auto command) { return answer(command); }) {}
    explicit Table(VpcdCard::Card card) : vpcd(stand.insert(0, std::move(card)))
    {
        REQUIRE(reader->wait_for_card(10s));
        link = reader->connect(Sharing::shared).value();
    }
    std::optional<Bytes> answer(std::span<const std::uint8_t> command)
    {
        received = bytes_of(command);
        return to_answer;
    }
    Result<Bytes> ask(const Bytes& command)
    {
        Bytes buffer(66'000);
        const auto size = link->transmit(command, buffer);
        if (!size) return size.error();
        buffer.resize(*size);
        return buffer;
    }

    Stand stand{{.connect = 10s, .begin = 10s, .transmit = 300ms}};
    std::unique_ptr<Reader> reader = stand.reader();
    Bytes received, to_answer;
    std::unique_ptr<VpcdCard> vpcd;
    std::unique_ptr<CardLink> link;
};

}  // namespace

TEST_CASE("short and extended commands and answers arrive as they were sent", "[exchange]")
{
    Table table;
    const bool t0 = stand_protocol == TransmissionProtocol::t0;
    std::vector<std::size_t> sizes = {5, 6, 13, 255, 260};
    if (!t0) sizes.insert(sizes.end(), {4, 261, 300, 4096, 65'000});
    for (const auto size : sizes) {
        Bytes command(size);
        for (std::size_t i = 0; i < size; ++i) command[i] = static_cast<std::uint8_t>(i * 7);
        command[0] = 0x80;
        if (size > 5 && size <= 260) command[4] = static_cast<std::uint8_t>(size - 5);
        table.to_answer = Bytes(t0 ? std::min<std::size_t>(size, 256) : size, 0x5A);
        table.to_answer.insert(table.to_answer.end(), {0x90, 0x00});
        const auto answer = table.ask(command);
        REQUIRE(answer);
        CHECK(table.received == command);
        CHECK(*answer == table.to_answer);
    }
}

TEST_CASE("every status word arrives as the card said it", "[exchange][sweep]")
{
    Table table;
    const Bytes command = from_hex("8010000000");
    std::size_t wrong = 0;
    for (unsigned sw = 0; sw <= 0xFFFF; ++sw) {
        table.to_answer = {static_cast<std::uint8_t>(sw >> 8), static_cast<std::uint8_t>(sw)};
        const auto answer = table.ask(command);
        if (!answer || *answer != table.to_answer) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(table.vpcd->commands() == 0x10000);
}

TEST_CASE("an answer of no byte or one is no answer", "[exchange]")
{
    for (const auto& nothing : {Bytes{}, Bytes{0x90}}) {
        Table table;
        table.to_answer = nothing;
        const auto answer = table.ask(from_hex("8010000000"));
        REQUIRE(!answer);
        CHECK(answer.error().effect == Effect::unknown);
        CHECK((answer.error().code == Errc::link_failed || answer.error().code == Errc::timed_out));
    }
}

TEST_CASE("an answer that is longer than the caller has room for is no answer", "[exchange]")
{
    Table table;
    table.to_answer = Bytes(200, 0x5A);
    std::array<std::uint8_t, 100> small;
    const auto answer = table.link->transmit(from_hex("8010000000"), small);
    REQUIRE(!answer);
    CHECK(answer.error().effect == Effect::unknown);
}
