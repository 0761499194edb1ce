// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <array>

#include <tallycard/checkpoint.hpp>
#include <tallycard/cosignature.hpp>

#include "crypto/ed25519.hpp"
#include "issuer/signed_note.hpp"
#include "protocol/digest.hpp"
#include "support/witness_keys.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// Made with OpenSSL and Python from the text of C2SP tlog-cosignature, not with this library:
// openssl pkeyutl -sign -rawin over "cosignature/v1\ntime 1679315147\n" and the note's text.
KeySeed known_seed()
{
    std::array<std::uint8_t, KeySeed::size> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return KeySeed(bytes);
}
constexpr std::string_view known_text =
    "issuer.example\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
constexpr std::uint64_t known_time = 1679315147;
constexpr std::string_view known_vkey =
    "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
constexpr std::string_view known_line =
    "\xE2\x80\x94 witness.example/w1 519lMgAAAABkGFDLqV5V8vFBNTqR6rvND1cGhkIMBpBqg6Pn0LJuHg5TXOtuN"
    "+pOzzflLpOXY1Tw2IkaNPvJgJpsyYcs0vBfsUmpDg==\n";

}  // namespace

TEST_CASE("a cosignature is what C2SP's tlog-cosignature says, byte for byte")
{
    const CosignerKey key("witness.example/w1", known_seed());
    REQUIRE(key.verifier().to_string() == known_vkey);
    REQUIRE(NoteKey::parse(known_vkey) == key.verifier());
    REQUIRE(key.cosign(known_text, known_time) == known_line);
    const auto parsed = parse_signatures(known_line).value();
    const auto opened = open_cosignature(parsed.at(0), key.verifier(), known_text);
    REQUIRE(opened.valid);
    REQUIRE(opened.time == known_time);
}

TEST_CASE("every flipped bit of a cosignature, its time or its text is refused")
{
    const auto key = NoteKey::parse(known_vkey).value();
    const auto accepted = [&](std::string_view line, std::string_view text) {
        const auto parsed = parse_signatures(line);
        return parsed && parsed->size() == 1 && open_cosignature(parsed->front(), key, text).valid;
    };
    REQUIRE(accepted(known_line, known_text));
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < 8 * known_line.size(); ++bit) {
        std::string flipped(known_line);
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        if (!accepted(flipped, known_text)) ++refused;
    }
    CHECK(refused == 8 * known_line.size());
    refused = 0;
    for (std::size_t bit = 0; bit < 8 * known_text.size(); ++bit) {
        std::string flipped(known_text);
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        if (!accepted(known_line, flipped)) ++refused;
    }
    CHECK(refused == 8 * known_text.size());
}

TEST_CASE("a cosignature later than 2^63 seconds does not count, whoever signed it")
{
    const auto key = NoteKey::parse(known_vkey).value();
    const auto opens_at = [&](std::uint64_t time) {
        const auto message = cosigned_message(known_text, time);
        const auto signature = ed25519::sign_message(
            known_seed(), {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()});
        std::vector<std::uint8_t> blob;
        for (int shift = 56; shift >= 0; shift -= 8)
            blob.push_back(static_cast<std::uint8_t>(time >> shift));
        blob.insert(blob.end(), signature.bytes().begin(), signature.bytes().end());
        const auto line = signature_line(key, blob);
        return open_cosignature(parse_signatures(line).value().front(), key, known_text).valid;
    };
    CHECK(opens_at(0));  // old, and no less true of its day
    CHECK(opens_at((std::uint64_t{1} << 63) - 1));
    CHECK(!opens_at(std::uint64_t{1} << 63));
}

TEST_CASE("a key of a log and one of a witness are told apart by their type")
{
    const auto witness = CosignerKey("w", known_seed()).verifier();
    auto log = witness;
    log.type = NoteKeyType::log;
    CHECK(log.id() != witness.id());
    CHECK(NoteKey::parse(log.to_string()) == log);
    const auto line = CosignerKey("w", known_seed()).cosign(known_text, 1);
    const auto parsed = parse_signatures(line).value();
    CHECK(!open_cosignature(parsed[0], log, known_text).valid);
    CHECK(!verifies(parsed[0], witness, known_text));
}

TEST_CASE("a verifier key that is not exactly one is refused")
{
    std::string vkey(known_vkey);
    REQUIRE(NoteKey::parse(vkey));
    for (std::size_t at = 0; at < vkey.size(); ++at) {
        auto changed = vkey;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        CHECK(!NoteKey::parse(changed));
        CHECK(!NoteKey::parse(vkey.substr(0, at)));
    }
    CHECK(!NoteKey::parse(vkey + "\n"));
    CHECK(!NoteKey::parse("a b+00000000+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"));
}

TEST_CASE("a key's name is UTF-8 without spaces, pluses and control characters")
{
    CHECK(is_note_name("witness.example/w1"));
    CHECK(
        is_note_name("b\xC3\xBC"
                     "cher.example"));
    CHECK(is_note_name(std::string(255, 'a')));
    for (const std::string name : {"", "a b", "a+b", "a\tb", "a\nb",
                                   "a\x7F"
                                   "b",
                                   "a\xC2\xA0"
                                   "b",
                                   "a\xE3\x80\x80"
                                   "b",
                                   "a\xE2\x80\x83"
                                   "b",
                                   "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"})
        CHECK(!is_note_name(name));
    CHECK(!is_note_name(std::string(256, 'a')));
}

TEST_CASE("a checkpoint with cosignatures opens, and only as one that others may have signed")
{
    const CheckpointKey issuer(seed(3));
    const Checkpoint checkpoint{"issuer.test", {.size = 42, .root = sha256({})}};
    const auto note = checkpoint.sign(issuer).value();
    const auto text = SignedNote::parse(note).value().text;
    const auto cosigned = note + CosignerKey("w", known_seed()).cosign(text, 5);
    const auto open = [&](const std::string& from) {
        return Checkpoint::open_cosigned(from, "issuer.test", issuer.public_key());
    };

    CHECK(open(note).value() == checkpoint);
    CHECK(open(cosigned).value() == checkpoint);
    CHECK(open(note + known_line.data()).value() == checkpoint);
    CHECK(!Checkpoint::open(cosigned, "issuer.test", issuer.public_key()));
    CHECK(open(std::string(text) + "\n" + known_line.data()).error().code == Errc::bad_signature);
    auto damaged = note;
    damaged[damaged.size() - 5] = damaged[damaged.size() - 5] == 'A' ? 'B' : 'A';
    CHECK(!open(damaged));
    CHECK(!open(damaged + note.substr(text.size() + 1)));
    CHECK(open(cosigned + "nonsense\n").error().code == Errc::malformed);
    CHECK(open(cosigned.substr(0, cosigned.size() - 1)).error().code == Errc::malformed);
    CHECK(!Checkpoint::open_cosigned(note, "other.test", issuer.public_key()));
}

TEST_CASE("sixteen signatures and more are read, and more than a hundred are not")
{
    const auto note_with = [](std::size_t lines) {
        std::string note = std::string(known_text) + "\n";
        for (std::size_t i = 0; i < lines; ++i) note += known_line;
        return note;
    };
    CHECK(SignedNote::parse(note_with(16)).value().signatures.size() == 16);
    CHECK(SignedNote::parse(note_with(100)));
    CHECK(!SignedNote::parse(note_with(101)));
    CHECK(!SignedNote::parse(note_with(0)));
}

TEST_CASE("the checkpoint of any log is read to its third line, its extensions are not")
{
    const std::string text(known_text);
    CHECK(CheckpointText::parse(text).value().head.size == 7);
    CHECK(CheckpointText::parse(text + "extension\nanother\n").value().origin == "issuer.example");
    CHECK(!CheckpointText::parse(text + "\n"));
    CHECK(!CheckpointText::parse(text + "a\n\nb\n"));
    CHECK(!CheckpointText::parse("\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"));
    for (const auto* size : {"07", "-1", "+7", " 7", "7 ", "18446744073709551616", "x"})
        CHECK(!CheckpointText::parse("issuer.example\n" + std::string(size) +
                                     text.substr(text.find("7\n") + 1)));
}
