// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "../../readers/vpcd/descriptor.hpp"

namespace tallycard::chip {

// Turns SIGTERM and SIGINT into something to wait for, instead of an end in the middle of a
// command. One per process, made before any thread.
class StopSignal {
public:
    StopSignal();
    int descriptor() const { return descriptor_.number(); }
    // Waits, at most this long. True: the process was asked to stop.
    bool wait(std::chrono::milliseconds at_most) const;

private:
    Descriptor descriptor_;
};

// Where a reader listens: at the path of a Unix socket, or at a host's port.
struct ReaderAddress {
    std::string path;  // empty: host and port
    std::string host;
    std::uint16_t port = 0;

    std::string text() const { return path.empty() ? host + ":" + std::to_string(port) : path; }
};

// A connection to a reader: vpcd's, our driver's, or that of a virtual machine.
class Socket {
public:
    // Closed when nothing answers there, or the process was asked to stop.
    static Socket connect(const ReaderAddress& address, const StopSignal& stop);

    bool is_open() const { return descriptor_.is_open(); }
    // How many bytes came; 0 when the other side is gone or the process was asked to stop.
    std::size_t receive(std::span<std::uint8_t> out, const StopSignal& stop);
    // Whether something came, at most this long from now. False as well when the process was asked
    // to stop.
    bool wait_for_input(std::chrono::milliseconds at_most, const StopSignal& stop) const;
    // False when the other side is gone.
    bool send(std::span<const std::uint8_t> bytes);
    // No more to send: waits, at most this long, until the other side has read all of it and left.
    // What it says meanwhile is dropped. Closing at once could lose what was sent last.
    void finish(std::chrono::milliseconds at_most);

private:
    Socket(Descriptor descriptor, bool is_tcp) : descriptor_(std::move(descriptor)), is_tcp_(is_tcp)
    {
    }
    Descriptor descriptor_;
    bool is_tcp_;
};

}  // namespace tallycard::chip
