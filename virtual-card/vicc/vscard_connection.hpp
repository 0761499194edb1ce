// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../virtual_card.hpp"
#include "socket.hpp"
#include "vscard_framing.hpp"

namespace tallycard::chip {

// Where a virtual machine listens for the card of its emulated USB reader.
struct VscardAddress {
    std::string host;
    std::uint16_t port;

    // HOST:PORT, an IPv6 address in brackets. Empty for anything else.
    static std::optional<VscardAddress> parse(std::string_view text);
    std::string to_string() const;
};

// Puts a T=0 card into the USB reader of a virtual machine and keeps it there: connects, answers,
// and connects again, more and more slowly, while there is no machine. Takes the card out before it
// leaves. Not thread-safe. The card and the signal must outlive it.
//
//   connected --init--> greeting --init--> adding --yes--> inserting --yes--> in
//               to host           from host: the reader     the ATR
//                                 is asked for
//
// The protocol does not tell a card that the machine reset it or cut its power: that a PIN was
// verified outlives both, and ends with the next SELECT.
class VscardConnection {
public:
    struct Events {
        std::function<void()> no_machine;  // once, when nothing answers; then it keeps trying
        std::function<void()> silent;      // somebody listens, and says nothing
        std::function<void()> inserted;    // the machine has the card
        std::function<void(VscardError)> refused;    // the machine does not want it
        std::function<void(const Error&)> nonsense;  // what came is not this protocol
    };

    // Requires a card that speaks T=0.
    VscardConnection(VirtualCard& card, VscardAddress address, Events events);

    // Returns when the process is asked to stop.
    void run(const StopSignal& stop);

private:
    enum class Step : std::uint8_t { greeting, adding, inserting, in };

    bool serve(Socket& socket, const StopSignal& stop);
    bool answer(const VscardMessage& message, Socket& socket);
    bool go_on(const VscardMessage& message, Socket& socket);
    bool insert(Socket& socket);
    bool answer_apdu(std::span<const std::uint8_t> command, Socket& socket);
    void leave(Socket& socket);
    bool send(Socket& socket, VscardType type, std::span<const std::uint8_t> payload = {});

    VirtualCard& card_;
    VscardAddress address_;
    Events events_;
    Step step_ = Step::greeting;
    std::uint32_t reader_ = vscard_no_reader;
    std::array<std::uint8_t, vscard_header_size + VirtualCard::max_answer> out_{};
};

}  // namespace tallycard::chip
