// SPDX-License-Identifier: Apache-2.0
// A decoder of fields that is asked for anything, in any order. The first half of the input is what
// is asked, the second what is decoded. What was taken is what an encoder makes of it; a decoder
// that failed gives nothing any more.
#include <algorithm>

#include "../../src/protocol/tlv.hpp"
#include "fuzz.hpp"
#include "input.hpp"

using namespace tallycard;

namespace {

constexpr std::size_t room = 1 << 16;
using Encoder = tlv::Encoder<room>;

// One question, and what it has to leave in `out` if it is answered.
void ask(tlv::Decoder& decoder, fuzz::Input& questions, Encoder& out)
{
    const auto tag = questions.byte();
    const bool was_ok = decoder.ok(), is_next = decoder.next_is(tag);
    FUZZ_CHECK(was_ok || !is_next);
    switch (questions.below(4)) {
    case 0: {
        const std::size_t least = questions.byte(), most = questions.number(2);
        const auto value = decoder.field(tag, least, most);
        if (decoder.ok()) FUZZ_CHECK(value.size() >= least && value.size() <= most);
        if (decoder.ok()) out.field(tag, value);
        FUZZ_CHECK(decoder.ok() || value.empty());
        break;
    }
    case 1: {
        const auto size = 1 + questions.below(8);
        const auto number = decoder.number(tag, size);
        if (decoder.ok()) out.number(tag, size, number);
        FUZZ_CHECK(decoder.ok() || number == 0);
        break;
    }
    case 2: {
        const auto element = decoder.element(tag);
        if (decoder.ok()) out.raw(element);
        FUZZ_CHECK(decoder.ok() || element.empty());
        break;
    }
    default: {
        const auto fixed = decoder.field<4>(tag);
        if (decoder.ok()) out.field(tag, fixed);
        FUZZ_CHECK(decoder.ok() || std::ranges::all_of(fixed, [](auto b) { return b == 0; }));
    }
    }
    FUZZ_CHECK(!decoder.ok() || (was_ok && is_next));
}

void run(tlv::Decoder& decoder, fuzz::Input& questions, std::span<const std::uint8_t> bytes)
{
    Encoder out;
    while (!questions.empty()) ask(decoder, questions, out);
    if (questions.one_in(2)) decoder.require(true);
    const auto done = decoder.finish("fuzz");
    FUZZ_CHECK(done.has_value() == decoder.at_end());
    if (decoder.ok()) {
        FUZZ_CHECK(out.fields().size() <= bytes.size());
        FUZZ_CHECK(std::ranges::equal(out.fields().bytes(), bytes.first(out.fields().size())));
    }
    if (done)
        FUZZ_CHECK(out.fields().size() == bytes.size());
    else
        FUZZ_CHECK(done.error().code == Errc::malformed && done.error().detail <= room);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    const auto asked = input.counted();
    const auto bytes = input.rest();
    if (bytes.size() > room / 2) return 0;
    fuzz::Input questions(asked.data(), asked.size());
    tlv::Decoder decoder(bytes);
    if (!questions.one_in(2)) {
        run(decoder, questions, bytes);
        return 0;
    }
    // Inside a template, whose header is in front.
    auto inner = decoder.inside(questions.byte());
    if (decoder.ok() && decoder.at_end()) {
        const auto header = bytes.size() < 2 + 0x80 ? 2u : bytes.size() < 3 + 0x100 ? 3u : 4u;
        run(inner, questions, bytes.subspan(header));
    } else if (!decoder.ok()) {
        FUZZ_CHECK(!inner.ok() && !inner.finish("fuzz"));
    }
    return 0;
}
