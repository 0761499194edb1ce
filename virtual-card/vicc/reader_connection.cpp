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
    const auto tell_once = [&](const std::function<void()>& event) {
        if (!std::exchange(told, true) && !stop.wait(0ms)) event();
    };
    do {
        if (!card_.is_present()) {
            pause = first_pause;
            continue;
        }
        auto socket = Socket::connect(address_, stop);
        const auto visit = socket.is_open() ? serve(socket, stop) : Visit::refused;
        if (visit == Visit::spoke) {
            pause = first_pause;
            told = false;
        } else if (visit == Visit::refused) {
            tell_once(socket.is_open() ? events_.refused : events_.no_reader);
        }
        card_.power_off();
        pause = std::min(2 * pause, std::chrono::milliseconds(longest_pause));
    } while (!stop.wait(pause));
}

// Until the reader goes away.
ReaderConnection::Visit ReaderConnection::serve(Socket& socket, const StopSignal& stop)
{
    VpcdDecoder decoder;
    auto visit = Visit::refused;
    while (const auto count = socket.receive(decoder.space(), stop)) {
        decoder.received(count);
        auto message = decoder.next();
        for (; message && *message; message = decoder.next()) {
            if (std::exchange(visit, Visit::spoke) != Visit::spoke) events_.inserted();
            if (!answer(**message, socket)) return visit;
        }
        if (message) continue;
        events_.nonsense(message.error());
        return Visit::nonsense;
    }
    return visit;
}

bool ReaderConnection::answer(const VpcdMessage& message, Socket& socket)
{
    const auto payload = std::span(out_).subspan<2>();
    switch (message.kind) {
    case VpcdMessage::Kind::power_off: card_.power_off(); return true;
    case VpcdMessage::Kind::power_on: card_.power_on(); return true;
    case VpcdMessage::Kind::reset: card_.reset(); return true;
    case VpcdMessage::Kind::get_atr:
        if (!card_.is_present()) return false;
        std::ranges::copy(card_.atr().bytes(), payload.begin());
        return send_sized(socket, card_.atr().size());
    case VpcdMessage::Kind::command: {
        const auto size = card_.transmit(message.command, payload);
        return size > 0 && send_sized(socket, size);
    }
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
