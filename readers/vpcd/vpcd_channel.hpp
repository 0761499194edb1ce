// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>

#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>

#include "descriptor.hpp"
#include "vpcd_protocol.hpp"

namespace tallycard::vpcd {

// The reader's end of a connection to a card program. Nothing that the program does is trusted:
// each call ends by its deadline, and a program that is late, gone or makes no sense is hung up on,
// since what it says later could be taken for another answer. Every call after that fails.
//
// One thread at a time; is_gone() and hang_up() from any.
class Channel {
public:
    // A connected stream socket, which becomes non-blocking.
    explicit Channel(Descriptor socket);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel() = default;

    // All three lose what is volatile in the card, and nothing else. Errors as for transmit(), but
    // without effect: no command has been sent.
    Result<Atr> power_on(std::chrono::milliseconds deadline);
    Result<Atr> reset(std::chrono::milliseconds deadline);
    Result<void> power_off(std::chrono::milliseconds deadline);

    // Sends a command of 2 to max_message bytes (Errc::malformed otherwise: not sent), and writes
    // what the card answers, at least 2 bytes. Errc::card_removed: the program is gone.
    // Errc::timed_out. Errc::link_failed: an answer of 0 or 1 bytes (after which the card is still
    // in), or longer than `answer`, or one that nobody asked for. With Effect::unknown from the
    // first byte that was sent.
    Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                 std::span<std::uint8_t> answer,
                                 std::chrono::milliseconds deadline);

    // Whether the program closed its end, or was hung up on.
    bool is_gone() const;
    // Wakes whoever waits for the descriptor, too.
    void hang_up() noexcept;
    // Becomes ready for POLLRDHUP (do not ask for POLLIN) when the card leaves.
    int descriptor() const { return socket_.number(); }

private:
    using Time = std::chrono::steady_clock::time_point;

    Result<Atr> start(Control how, std::chrono::milliseconds deadline);
    Result<void> check_quiet();
    Result<void> tell(Control control, Time end);
    Result<void> send(std::span<const std::uint8_t> payload, Time end);
    Result<std::size_t> receive(std::span<std::uint8_t> payload, Time end);
    Result<void> wait_for(short events, Time end);
    Error fail(Errc code, std::uint32_t detail = 0);

    Descriptor socket_;
    bool is_tcp_ = false;
    std::atomic<bool> hung_up_ = false;
};

}  // namespace tallycard::vpcd
