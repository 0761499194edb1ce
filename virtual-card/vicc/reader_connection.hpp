// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "../virtual_card.hpp"
#include "socket.hpp"
#include "vpcd_framing.hpp"

namespace tallycard::chip {

// Puts a card into a vpcd reader and keeps it there: connects, answers, and connects again, more
// and more slowly, while there is no reader. Not thread-safe. The card and the signal must outlive
// it.
class ReaderConnection {
public:
    struct Events {
        std::function<void()> no_reader;  // once, when nothing answers; then it keeps trying
        std::function<void()> refused;    // once, when it hangs up at once; likewise
        std::function<void()> inserted;   // the reader has spoken to the card
        std::function<void(const Error&)> nonsense;  // what came is not vpcd's protocol
    };

    ReaderConnection(VirtualCard& card, ReaderAddress address, Events events)
        : card_(card), address_(std::move(address)), events_(std::move(events))
    {
    }

    // Returns when the process is asked to stop.
    void run(const StopSignal& stop);

private:
    enum class Visit : std::uint8_t { spoke, refused, nonsense };
    Visit serve(Socket& socket, const StopSignal& stop);
    bool answer(const VpcdMessage& message, Socket& socket);
    bool send_sized(Socket& socket, std::size_t size);

    VirtualCard& card_;
    ReaderAddress address_;
    Events events_;
    std::array<std::uint8_t, vpcd::length_size + VirtualCard::max_answer> out_{};
};

}  // namespace tallycard::chip
