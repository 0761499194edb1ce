// SPDX-License-Identifier: Apache-2.0
// A card program that says anything: the first byte is how it cuts the rest into pieces and what
// it is asked; the rest is what it sends once it has been asked.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <thread>

#include "../../readers/vpcd/vpcd_channel.hpp"
#include "fuzz.hpp"

using namespace tallycard;

namespace {

constexpr std::array<std::uint8_t, 5> command = {0x00, 0x84, 0x00, 0x00, 0x08};
constexpr std::size_t room = 64;

void send_in_pieces(int socket, std::span<const std::uint8_t> bytes, std::size_t piece)
{
    while (!bytes.empty()) {
        const auto size = std::min(piece, bytes.size());
        if (::send(socket, bytes.data(), size, MSG_NOSIGNAL) < 0) return;
        bytes = bytes.subspan(size);
    }
}

void check(const Result<std::size_t>& size, std::span<const std::uint8_t> answer,
           std::span<const std::uint8_t> sent)
{
    if (!size) {
        FUZZ_CHECK(size.error().effect == Effect::unknown);
        return;
    }
    // A success is what the program said, whole and with nothing after it.
    FUZZ_CHECK(*size >= 2 && *size <= room);
    FUZZ_CHECK(sent.size() >= 2 + *size && sent[0] == 0 && sent[1] == *size);
    FUZZ_CHECK(std::ranges::equal(answer.first(*size), sent.subspan(2, *size)));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const std::span sent(data + 1, size - 1);
    const bool powers = (data[0] & 0x80) != 0;
    const std::size_t piece = (data[0] & 0x7F) + 1, asked = powers ? 6 : 2 + command.size();
    std::array<int, 2> ends{};
    FUZZ_CHECK(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    vpcd::Channel channel{Descriptor(ends[0])};
    std::thread program([&] {
        const Descriptor socket(ends[1]);
        std::array<std::uint8_t, 16> question;
        if (::recv(ends[1], question.data(), asked, MSG_WAITALL) != static_cast<ssize_t>(asked))
            return;
        send_in_pieces(ends[1], sent, piece);
    });
    std::array<std::uint8_t, room> answer;
    constexpr auto deadline = std::chrono::seconds(10);
    if (powers) {
        const auto atr = channel.power_on(deadline);
        FUZZ_CHECK(!atr || (atr->size() >= 2 && sent.size() >= 2 + atr->size()));
    } else {
        check(channel.transmit(command, answer, deadline), answer, sent);
    }
    channel.hang_up();
    program.join();
    return 0;
}
