// SPDX-License-Identifier: Apache-2.0
#include "reader_connection.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace tallycard::chip {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 50ms, longest_pause = 2000ms;

}  // namespace

void ReaderConnection::run(const StopSignal& stop)
{
    auto pause = std::chrono::milliseconds(first_pause);
    bool told = false;
    do {
        auto socket = Socket::connect(host_, port_, stop);
        if (!socket.is_open()) {
            if (!told && !stop.wait(0ms)) events_.no_reader();
            told = true;
        } else if (serve(socket, stop)) {
            pause = first_pause;
            told = false;
        }
        card_.power_off();
        pause = std::min(2 * pause, std::chrono::milliseconds(longest_pause));
    } while (!stop.wait(pause));
}

// Until the reader goes away. Whether it ever spoke.
bool ReaderConnection::serve(Socket& socket, const StopSignal& stop)
{
    VpcdDecoder decoder;
    bool has_spoken = false;
    while (const auto count = socket.receive(decoder.space(), stop)) {
        decoder.received(count);
        auto message = decoder.next();
        for (; message && *message; message = decoder.next()) {
            if (!std::exchange(has_spoken, true)) events_.inserted();
            if (!answer(**message, socket)) return has_spoken;
        }
        if (message) continue;
        events_.nonsense(message.error());
        return false;
    }
    return has_spoken;
}

bool ReaderConnection::answer(const VpcdMessage& message, Socket& socket)
{
    const auto payload = std::span(out_).subspan<2>();
    switch (message.kind) {
    case VpcdMessage::Kind::power_off: card_.power_off(); return true;
    case VpcdMessage::Kind::power_on: card_.power_on(); return true;
    case VpcdMessage::Kind::reset: card_.reset(); return true;
    case VpcdMessage::Kind::get_atr:
        std::ranges::copy(card_.atr().bytes(), payload.begin());
        return send_sized(socket, card_.atr().size());
    case VpcdMessage::Kind::command:
        return send_sized(socket, card_.transmit(message.command, payload));
    }
    return false;
}

// Length and payload in one write.
bool ReaderConnection::send_sized(Socket& socket, std::size_t size)
{
    out_[0] = static_cast<std::uint8_t>(size >> 8);
    out_[1] = static_cast<std::uint8_t>(size);
    return socket.send(std::span(out_).first(2 + size));
}

}  // namespace tallycard::chip
