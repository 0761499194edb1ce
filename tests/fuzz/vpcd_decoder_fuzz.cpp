// SPDX-License-Identifier: Apache-2.0
// A reader that says anything to a card, in pieces: the first byte is their size.
#include <algorithm>
#include <memory>
#include <span>

#include "../../virtual-card/vicc/vpcd_framing.hpp"
#include "fuzz.hpp"

using namespace tallycard;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    std::span sent(data + 1, size - 1);
    const std::size_t piece = data[0] + 1u;
    const auto decoder = std::make_unique<chip::VpcdDecoder>();
    std::size_t taken = 0;
    while (!sent.empty()) {
        const auto room = decoder->space();
        FUZZ_CHECK(!room.empty());
        const auto count = std::min({piece, sent.size(), room.size()});
        std::ranges::copy(sent.first(count), room.begin());
        decoder->received(count);
        sent = sent.subspan(count);
        for (;;) {
            const auto message = decoder->next();
            if (!message) {
                FUZZ_CHECK(!decoder->next());
                return 0;
            }
            if (!*message) break;
            const bool is_command = (*message)->kind == chip::VpcdMessage::Kind::command;
            FUZZ_CHECK((*message)->command.empty() == !is_command);
            taken += is_command ? 2 + (*message)->command.size() : 3;
            FUZZ_CHECK(taken <= size);
        }
    }
    return 0;
}
