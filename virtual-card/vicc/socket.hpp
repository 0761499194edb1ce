// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tallycard::chip {

// A file descriptor that is closed with its owner.
class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();

    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

private:
    int number_;
};

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

// A TCP connection to a vpcd reader.
class Socket {
public:
    // Closed when nothing answers there, or the process was asked to stop.
    static Socket connect(const std::string& host, std::uint16_t port, const StopSignal& stop);

    bool is_open() const { return descriptor_.is_open(); }
    // How many bytes came; 0 when the other side is gone or the process was asked to stop.
    std::size_t receive(std::span<std::uint8_t> out, const StopSignal& stop);
    // False when the other side is gone.
    bool send(std::span<const std::uint8_t> bytes);

private:
    explicit Socket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
    Descriptor descriptor_;
};

}  // namespace tallycard::chip
