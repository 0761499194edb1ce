// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <memory>
#include <vector>

#include "../../virtual-card/vicc/vscard_framing.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace testing;
using chip::VscardDecoder;
using chip::VscardError;
using chip::VscardMessage;
using chip::VscardType;

namespace {

const auto init = from_hex("00000001ffffffff0000000c565343440000000200000000");

struct Seen {
    VscardType type;
    std::uint32_t reader;
    Bytes payload;
    VscardError error = VscardError::none;
    friend bool operator==(const Seen&, const Seen&) = default;
};

// The decoder of one stream, and all that came out of it.
struct Stream {
    void feed(std::span<const std::uint8_t> bytes)
    {
        std::ranges::copy(bytes, decoder->space().begin());
        decoder->received(bytes.size());
        for (;;) {
            const auto message = decoder->next();
            if (!message) failure = message.error();
            if (!message || !*message) return;
            const auto& found = **message;
            seen.push_back({found.type, found.reader, bytes_of(found.payload), found.error});
        }
    }

    std::unique_ptr<VscardDecoder> decoder = std::make_unique<VscardDecoder>();
    std::vector<Seen> seen;
    std::optional<Error> failure;
};

// Where a stream of one message stops making sense; empty when it does not.
std::optional<std::uint32_t> sense_ends(const Bytes& bytes)
{
    Stream stream;
    stream.feed(bytes);
    if (!stream.failure) return std::nullopt;
    CHECK(stream.failure->code == Errc::malformed);
    CHECK(stream.seen.empty());
    return stream.failure->detail;
}

Bytes header(std::uint32_t type, std::uint32_t length)
{
    return bytes_of(chip::vscard_header(static_cast<VscardType>(type), 0, length));
}

Bytes with_payload(std::uint32_t type, const std::string& hex)
{
    const auto payload = from_hex(hex);
    auto bytes = header(type, static_cast<std::uint32_t>(payload.size()));
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

}  // namespace

TEST_CASE("VSCard messages come out whole, however they are cut", "[applet][vscard]")
{
    auto bytes = init;
    for (const auto& more :
         {from_hex("000000020000000700000004"
                   "00000002"),
          from_hex("000000070000000700000005"
                   "0084000008"),
          from_hex("000000080000000700000000"), from_hex("000000070000000700000000")})
        bytes.insert(bytes.end(), more.begin(), more.end());
    const std::vector<Seen> wanted = {
        {VscardType::init, chip::vscard_no_reader, from_hex("565343440000000200000000")},
        {VscardType::error, 7, from_hex("00000002"), VscardError::cannot_add_more_readers},
        {VscardType::apdu, 7, from_hex("0084000008")},
        {VscardType::flush, 7, {}},
        {VscardType::apdu, 7, {}}};
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        Stream stream;
        for (std::size_t at = 0; at < bytes.size(); at += piece)
            stream.feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)));
        REQUIRE_FALSE(stream.failure);
        CHECK(stream.seen == wanted);
    }
}

TEST_CASE("the longest VSCard command fits, and one byte more fails at its header",
          "[applet][vscard]")
{
    Stream stream;
    auto bytes = header(7, VscardDecoder::max_payload);
    bytes.resize(bytes.size() + VscardDecoder::max_payload, 0x5A);
    for (std::size_t i = 1; i <= 2; ++i) {
        stream.feed(bytes);
        REQUIRE(stream.seen.size() == i);
        CHECK(stream.seen.back().payload.size() == VscardDecoder::max_payload);
    }
    CHECK_FALSE(stream.failure);
    for (const auto length : {VscardDecoder::max_payload + 1, std::size_t{0x7FFFFFFF},
                              std::size_t{0x80000000}, std::size_t{0xFFFFFFFF}})
        CHECK(sense_ends(header(7, static_cast<std::uint32_t>(length))) == 8u);
}

TEST_CASE("a VSCard message that no host sends fails at its header", "[applet][vscard]")
{
    int refused = 0;
    for (std::uint32_t type = 0; type < 256; ++type) {
        const bool known = type == 1 || type == 2 || type == 7 || type == 8;
        const auto ends = sense_ends(header(type, type == 1 ? 12 : type == 2 ? 4 : 0));
        CHECK(ends == (known ? std::nullopt : std::optional(0u)));
        refused += ends ? 1 : 0;
    }
    CHECK(refused == 252);
    for (const auto type : {0x01000000u, 0x00070000u, 0x80000007u, 0xFFFFFFFFu})
        CHECK(sense_ends(header(type, 0)) == 0u);
}

TEST_CASE("a VSCard message of a wrong length fails at its header", "[applet][vscard]")
{
    for (const std::uint32_t length : {0u, 4u, 8u, 11u, 13u, 14u, 15u, 260u, 0x10000u})
        CHECK(sense_ends(header(1, length)) == 8u);
    for (const std::uint32_t length : {0u, 1u, 3u, 5u, 8u})
        CHECK(sense_ends(header(2, length)) == 8u);
    for (const std::uint32_t length : {1u, 4u, 0xFFFFFFFFu})
        CHECK(sense_ends(header(8, length)) == 8u);
}

TEST_CASE("a VSCard init message has the magic and a version that is known", "[applet][vscard]")
{
    CHECK_FALSE(sense_ends(init));
    CHECK_FALSE(sense_ends(with_payload(1, "56534344000000020000000000000001")));
    CHECK_FALSE(sense_ends(with_payload(1, "565343440000040300000000")));  // 0.1.3
    CHECK(sense_ends(with_payload(1, "444353560000000200000000")) == 12u);
    CHECK(sense_ends(with_payload(1, "565343000000000200000000")) == 12u);
    CHECK(sense_ends(with_payload(1, "565343440020000000000000")) == 16u);  // 1.0.0
}

TEST_CASE("a VSCard error has a code that is known", "[applet][vscard]")
{
    for (const auto* code : {"00000000", "00000001", "00000002", "00000003"})
        CHECK_FALSE(sense_ends(with_payload(2, code)));
    for (const auto* code : {"00000004", "01000000", "ffffffff"})
        CHECK(sense_ends(with_payload(2, code)) == 12u);
}

TEST_CASE("what failed stays failed, and says where in the stream", "[applet][vscard]")
{
    Stream stream;
    stream.feed(init);
    CHECK(stream.seen.size() == 1);
    stream.feed(header(9, 0));
    REQUIRE(stream.failure);
    CHECK(stream.failure->detail == init.size());
    stream.feed(init);
    CHECK(stream.seen.size() == 1);
    CHECK(stream.decoder->next().error().detail == init.size());
}

TEST_CASE("what the card's side says is as libcacard has it", "[applet][vscard]")
{
    auto bytes = bytes_of(chip::vscard_header(VscardType::init, chip::vscard_no_reader, 12));
    const auto payload = chip::vscard_init();
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    CHECK(bytes == init);
    CHECK(bytes_of(chip::vscard_header(VscardType::flush_complete, 3, 0x102)) ==
          from_hex("000000090000000300000102"));
    CHECK(bytes_of(chip::vscard_error(VscardError::general)) == from_hex("00000001"));
}
