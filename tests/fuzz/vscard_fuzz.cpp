// SPDX-License-Identifier: Apache-2.0
// A machine that says anything to a card, in pieces: the first byte is their size. However it is
// cut, the same messages come out, and each is what its bytes say.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "../../virtual-card/vicc/vscard_framing.hpp"
#include "fuzz.hpp"
#include "input.hpp"

using namespace tallycard;

namespace {

using Message = std::tuple<chip::VscardType, std::uint32_t, fuzz::Bytes, chip::VscardError>;

struct Heard {
    std::vector<Message> messages;
    std::optional<std::uint32_t> malformed_at;
    friend bool operator==(const Heard&, const Heard&) = default;
};

// False once the stream has failed, for good.
bool take_messages(chip::VscardDecoder& decoder, Heard& heard)
{
    for (;;) {
        const auto next = decoder.next();
        if (!next) {
            FUZZ_CHECK(next.error().code == Errc::malformed);
            heard.malformed_at = next.error().detail;
            const auto again = decoder.next();
            FUZZ_CHECK(!again && again.error().detail == next.error().detail);
            return false;
        }
        if (!*next) return true;
        const auto& [type, reader, payload, error] = **next;
        heard.messages.emplace_back(type, reader, fuzz::Bytes(payload.begin(), payload.end()),
                                    error);
    }
}

Heard hear(std::span<const std::uint8_t> sent, std::size_t piece)
{
    Heard heard;
    const auto decoder = std::make_unique<chip::VscardDecoder>();
    while (!sent.empty()) {
        const auto room = decoder->space();
        FUZZ_CHECK(!room.empty());
        const auto count = std::min({piece, sent.size(), room.size()});
        std::ranges::copy(sent.first(count), room.begin());
        decoder->received(count);
        sent = sent.subspan(count);
        if (!take_messages(*decoder, heard)) break;
    }
    return heard;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    fuzz::Input input(data, size);
    const auto piece = input.byte() + 1u;
    const auto sent = input.rest();
    const auto heard = hear(sent, piece);
    FUZZ_CHECK(heard == hear(sent, 1 << 20));
    fuzz::Bytes again;
    for (const auto& [type, reader, payload, error] : heard.messages) {
        const auto header = chip::vscard_header(type, reader, payload.size());
        again.insert(again.end(), header.begin(), header.end());
        again.insert(again.end(), payload.begin(), payload.end());
        FUZZ_CHECK(type != chip::VscardType::error ||
                   std::ranges::equal(chip::vscard_error(error), payload));
        FUZZ_CHECK(type != chip::VscardType::init || payload.size() >= chip::vscard_init().size());
    }
    FUZZ_CHECK(again.size() <= sent.size());
    FUZZ_CHECK(std::ranges::equal(again, sent.first(again.size())));
    FUZZ_CHECK(!heard.malformed_at ||
               (*heard.malformed_at >= again.size() && *heard.malformed_at <= sent.size()));
    return 0;
}
