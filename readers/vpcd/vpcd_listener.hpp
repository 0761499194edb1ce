// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <tallycard/result.hpp>

#include "descriptor.hpp"
#include "vpcd_channel.hpp"

namespace tallycard::vpcd {

// A slot that card programs connect to, one at a time. Never blocks but in wait(). From any thread.
class Listener {
public:
    // A Unix socket of mode 0600 at `path`, removed in the end; a file `path`.lock beside it keeps
    // others away and stays. Takes the place of a dead socket of this user's, and of nothing else:
    // Errc::file_in_use when somebody listens there, Errc::file_exists for anything that is no
    // socket or another's, Errc::file_rejected (detail: errno).
    static Result<std::unique_ptr<Listener>> on_unix_socket(const std::string& path);
    // 127.0.0.1 only; any program of this machine may be the card. Port 0: any that is free.
    // Errc::file_rejected (detail: errno).
    static Result<std::unique_ptr<Listener>> on_loopback(std::uint16_t port);
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener();

    std::uint16_t port() const { return port_; }  // 0 for a Unix socket

    struct State {
        std::shared_ptr<Channel> card;  // null: the slot is empty
        std::uint64_t arrivals = 0;     // how many cards came in since the start
        std::uint64_t refused = 0;      // how many were turned away: there was a card in
    };
    // Looks at what happened: lets a card that left go, takes in the next, turns others away.
    State update();

    enum class Wake : std::uint8_t { changed, interrupted, timed_out };
    // Until update() has something to do, or `interrupt` (-1: none) is ready to be read, or the
    // time is over. For a poll loop of one's own: descriptor() for POLLIN, and the card's.
    Wake wait(std::chrono::milliseconds at_most, int interrupt = -1) const;
    int descriptor() const { return socket_.number(); }

private:
    explicit Listener(Descriptor socket) : socket_(std::move(socket)) {}

    Descriptor socket_, lock_;
    std::string path_;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    State state_;
    bool is_exhausted_ = false;
};

}  // namespace tallycard::vpcd
