// SPDX-License-Identifier: Apache-2.0
// Checkpoints and signed notes: genuine ones, changed ones, any text. What opens is what the key
// signed, to the byte.
#include <array>

#include <tallycard/checkpoint.hpp>

#include "../../src/issuer/base64.hpp"
#include "fuzz.hpp"
#include "input.hpp"

using namespace tallycard;
using fuzz::Input;

namespace {

constexpr const char* origin = "issuer.test";

const CheckpointKey& key()
{
    static const CheckpointKey key = [] {
        std::array<std::uint8_t, KeySeed::size> seed{3};
        return CheckpointKey(KeySeed(seed));
    }();
    return key;
}

void check_error(const Error& error)
{
    FUZZ_CHECK(error.code == Errc::malformed || error.code == Errc::bad_signature);
}

void raw(std::string_view text)
{
    const auto note = open_note(text, origin, key().public_key());
    const auto checkpoint = Checkpoint::open(text, origin, key().public_key());
    if (!note) check_error(note.error());
    if (!checkpoint) check_error(checkpoint.error());
    FUZZ_CHECK(note || !checkpoint);
    if (checkpoint) FUZZ_CHECK(checkpoint->sign(key()).value() == text);
}

// Signed by the key, so that what is behind the signature is read.
void signed_text(std::span<const std::uint8_t> given)
{
    std::string text(fuzz::text(given.first(std::min<std::size_t>(given.size(), 250))));
    text += '\n';
    const auto note = key().sign_note(text, origin).value();
    const auto opened = open_note(note, origin, key().public_key());
    // A blank line inside ends the text before its end, and the signature does not fit.
    if (opened) FUZZ_CHECK(*opened == text);
    FUZZ_CHECK(!open_note(note, "issuer.other", key().public_key()));
    raw(note);
}

void checkpoint(Input& input)
{
    std::array<std::uint8_t, Digest::size> root{};
    root[0] = input.byte();
    const Checkpoint made{origin, {input.number(8), Digest(root)}};
    const auto note = made.sign(key()).value();
    FUZZ_CHECK(Checkpoint::open(note, origin, key().public_key()).value() == made);
    fuzz::Bytes bytes(note.begin(), note.end());
    fuzz::edit(bytes, input);
    const auto text = fuzz::text(bytes);
    const auto opened = Checkpoint::open(text, origin, key().public_key());
    FUZZ_CHECK(opened.has_value() == (text == note));
    if (!opened) check_error(opened.error());
}

void base64_text(std::string_view text)
{
    for (const std::size_t size : {std::size_t{1}, std::size_t{32}, std::size_t{68}}) {
        fuzz::Bytes bytes(size);
        if (base64::decode(text, bytes)) FUZZ_CHECK(base64::encode(bytes) == text);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    switch (input.below(4)) {
    case 0: raw(fuzz::text(input.rest())); break;
    case 1: signed_text(input.rest()); break;
    case 2: checkpoint(input); break;
    default: base64_text(fuzz::text(input.rest()));
    }
    return 0;
}
