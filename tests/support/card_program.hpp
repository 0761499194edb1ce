// SPDX-License-Identifier: Apache-2.0
// The far end of a vpcd connection, byte by byte: what a card program would do, and what it
// should not.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include "vectors.hpp"

namespace testing {

class CardProgram {
public:
    explicit CardProgram(int socket) : socket_(socket) {}
    CardProgram(CardProgram&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    CardProgram& operator=(CardProgram&&) = delete;
    ~CardProgram() { leave(); }

    static CardProgram at(const std::string& path)
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        return connected(AF_UNIX, address);
    }
    static CardProgram at(std::uint16_t port)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return connected(AF_INET, address);
    }

    void leave()
    {
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }
    // Ends a call of another thread.
    void hang_up() const { ::shutdown(socket_, SHUT_RDWR); }
    void send(const Bytes& bytes) const
    {
        if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
            throw std::runtime_error("the reader hung up");
    }
    void answer(const Bytes& payload) const { send(framed(payload)); }
    // Exactly so many bytes; fewer when the reader hung up.
    Bytes receive(std::size_t size) const
    {
        Bytes bytes(size);
        const auto n = ::recv(socket_, bytes.data(), size, MSG_WAITALL);
        bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        return bytes;
    }
    // One message; empty when the reader hung up.
    Bytes receive_message() const
    {
        const auto length = receive(2);
        return length.size() == 2 ? receive(static_cast<std::size_t>(length[0] << 8 | length[1]))
                                  : Bytes();
    }
    // Takes part until it is asked for its ATR.
    void start(const Bytes& atr) const
    {
        while (receive_message() != Bytes{4}) {
        }
        answer(atr);
    }
    // Whatever it says before; waits for it.
    void wait_for_hang_up() const
    {
        while (!receive(1).empty()) {
        }
    }

    static Bytes framed(const Bytes& payload)
    {
        Bytes bytes = {static_cast<std::uint8_t>(payload.size() >> 8),
                       static_cast<std::uint8_t>(payload.size())};
        bytes.insert(bytes.end(), payload.begin(), payload.end());
        return bytes;
    }

private:
    static CardProgram connected(int family, const auto& address)
    {
        CardProgram program(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        if (::connect(program.socket_, generic, sizeof address) != 0)
            throw std::runtime_error("nobody listens there");
        return program;
    }

    int socket_;
};

}  // namespace testing
