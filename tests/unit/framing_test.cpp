// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <vector>

#include <tallycard/card_info.hpp>

#include "../../virtual-card/applet/t0_framing.hpp"
#include "../../virtual-card/vicc/vpcd_framing.hpp"
#include "support/issued_card.hpp"

using namespace tallycard;
using namespace testing;
using chip::VpcdDecoder;
using chip::VpcdMessage;

namespace {

void feed(VpcdDecoder& decoder, std::span<const std::uint8_t> bytes)
{
    std::ranges::copy(bytes, decoder.space().begin());
    decoder.received(bytes.size());
}

struct Seen {
    VpcdMessage::Kind kind;
    Bytes command;
    friend bool operator==(const Seen&, const Seen&) = default;
};

// Everything that comes out; `failed` when it stopped making sense.
std::vector<Seen> drain(VpcdDecoder& decoder, bool& failed)
{
    std::vector<Seen> seen;
    for (;;) {
        const auto message = decoder.next();
        failed = !message;
        if (!message || !*message) return seen;
        seen.push_back({(**message).kind, bytes_of((**message).command)});
    }
}

class T0Card : public IssuedCard {
public:
    Reply tpdu(const Bytes& bytes)
    {
        std::array<std::uint8_t, chip::Applet::max_answer> answer{};
        return reply_of(std::span(answer).first(t0.process(bytes, answer)));
    }
    chip::T0Framing t0{applet};
};

const Bytes select_tpdu = command_apdu(wire::command::select, wire::aid);

}  // namespace

TEST_CASE("vpcd messages come out whole, however they are cut", "[applet][vpcd]")
{
    const auto stream = from_hex(
        "000101"
        "000104"
        "00050084000008"
        "000102"
        "000100"
        "00020102");
    using Kind = VpcdMessage::Kind;
    const std::vector<Seen> wanted = {
        {Kind::power_on, {}}, {Kind::get_atr, {}},   {Kind::command, from_hex("0084000008")},
        {Kind::reset, {}},    {Kind::power_off, {}}, {Kind::command, from_hex("0102")}};
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        const auto decoder = std::make_unique<VpcdDecoder>();
        std::vector<Seen> seen;
        bool failed = false;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            feed(*decoder, std::span(stream).subspan(at, std::min(piece, stream.size() - at)));
            const auto some = drain(*decoder, failed);
            seen.insert(seen.end(), some.begin(), some.end());
            REQUIRE_FALSE(failed);
        }
        CHECK(seen == wanted);
    }
}

TEST_CASE("the longest vpcd message fits", "[applet][vpcd]")
{
    const auto decoder = std::make_unique<VpcdDecoder>();
    Bytes stream(2 + 0xFFFF, 0x5A);
    stream[0] = stream[1] = 0xFF;
    bool failed = false;
    for (int i = 0; i < 2; ++i) {
        feed(*decoder, stream);
        CHECK(drain(*decoder, failed).at(0).command.size() == 0xFFFF);
        CHECK_FALSE(failed);
    }
}

TEST_CASE("an empty vpcd message and an unknown control fail for good", "[applet][vpcd]")
{
    int refused = 0;
    for (int control = 0; control < 256; ++control) {
        const auto decoder = std::make_unique<VpcdDecoder>();
        feed(*decoder, Bytes{0, 1, static_cast<std::uint8_t>(control), 0, 1, 1});
        bool failed = false;
        const auto seen = drain(*decoder, failed);
        const bool known = control == 0 || control == 1 || control == 2 || control == 4;
        CHECK(failed != known);
        CHECK(seen.size() == (known ? 2 : 0));
        refused += failed ? 1 : 0;
        if (failed) CHECK(decoder->next().error().code == Errc::malformed);
    }
    CHECK(refused == 252);
    const auto decoder = std::make_unique<VpcdDecoder>();
    feed(*decoder, Bytes{0, 0});
    CHECK(decoder->next().error().code == Errc::malformed);
}

TEST_CASE("under T=0 a case-4 command answers 61xx and GET RESPONSE gives the response",
          "[applet][t0]")
{
    T0Card card;
    CHECK(card.tpdu(select_tpdu).sw == 0x6185);
    CHECK(card.tpdu(from_hex("00c0000010")).sw == 0x6C85);
    CHECK(card.tpdu(from_hex("00c0000000")).sw == 0x6C85);
    CHECK(card.tpdu(from_hex("00c0010085")).sw == 0x6A86);
    const auto reply = card.tpdu(from_hex("00c0000085"));
    CHECK(reply.sw == 0x9000);
    CHECK(CardInfo::decode(reply.data));
    CHECK(card.tpdu(from_hex("00c0000085")).sw == 0x6985);
}

TEST_CASE("under T=0 a waiting response is gone with the next command", "[applet][t0]")
{
    T0Card card;
    CHECK(card.tpdu(select_tpdu).sw == 0x6185);
    CHECK(card.tpdu(from_hex("0084000004")).data.size() == 4);
    CHECK(card.tpdu(from_hex("00c0000085")).sw == 0x6985);
    CHECK(card.tpdu(select_tpdu).sw == 0x6185);
    card.t0.power_on();
    CHECK(card.tpdu(from_hex("00c0000085")).sw == 0x6985);
}

TEST_CASE("under T=0 Le must be exact", "[applet][t0]")
{
    T0Card card;
    CHECK(card.tpdu(from_hex("80ca009200")).sw == 0x6C34);
    CHECK(card.tpdu(from_hex("80ca009233")).sw == 0x6C34);
    CHECK(card.tpdu(from_hex("80ca009235")).sw == 0x6C34);
    CHECK(card.tpdu(from_hex("80ca0092")).sw == 0x6C34);
    CHECK(card.tpdu(from_hex("80ca009234")).data.size() == 0x34);
    CHECK(card.tpdu(from_hex("0084000000")).data.size() == 256);
}

TEST_CASE("under T=0 a refused command answers its status word at once", "[applet][t0]")
{
    T0Card card;
    CHECK(card.tpdu(from_hex("0020000100")).sw == 0x63C3);
    CHECK(card.tpdu(from_hex("00200001")).sw == 0x63C3);
    CHECK(card.tpdu(command_apdu(wire::command::verify, wrong_pin)).sw == 0x63C2);
    CHECK(card.tpdu(from_hex("8032000001e1")).sw == 0x6A80);
    CHECK(card.tpdu(from_hex("803200000ae1")).sw == 0x6700);    // shorter than P3 says
    CHECK(card.tpdu(from_hex("8032000001e100")).sw == 0x6700);  // no Le beside data
    CHECK(card.tpdu(from_hex("803300000ae1")).sw == 0x6D00);
    CHECK(card.tpdu(from_hex("0102")).sw == 0x6700);
    CHECK(card.tpdu({}).sw == 0x6700);
}

TEST_CASE("under T=0 an operation executes once, whether its response is fetched or not",
          "[applet][t0]")
{
    T0Card card;
    const auto execute = command_apdu(wire::command::execute,
                                      IssuedCard::first_instruction(card.next(Kind::top_up, 5)));
    CHECK(card.tpdu(execute).sw == 0x61B0);
    CHECK(card.balance() == start_balance + 5);
    CHECK(card.tpdu(execute).sw == 0x61B0);
    CHECK(card.balance() == start_balance + 5);
    CHECK(card.tpdu(from_hex("00c00000b0")).data.size() == 0xB0);
}
