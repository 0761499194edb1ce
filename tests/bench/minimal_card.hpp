// SPDX-License-Identifier: Apache-2.0
// The least that a card program for vpcd can be: it knows no command, and answers two.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace tallycard::bench {

// In a process of its own; without `quick_ack` each command waits for a delayed ACK.
class MinimalCard {
public:
    MinimalCard(std::uint16_t port, bool quick_ack) : quick_ack_(quick_ack)
    {
        pid_ = ::fork();
        if (pid_ != 0) return;
        socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* generic = reinterpret_cast<const sockaddr*>(&address);
        if (::connect(socket_, generic, sizeof address) == 0) serve();
        ::_exit(1);
    }
    MinimalCard(const MinimalCard&) = delete;
    MinimalCard& operator=(const MinimalCard&) = delete;
    ~MinimalCard()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

private:
    bool receive(std::span<std::uint8_t> bytes) const
    {
        while (!bytes.empty()) {
            const int on = 1;
            if (quick_ack_) ::setsockopt(socket_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
            const auto n = ::recv(socket_, bytes.data(), bytes.size(), 0);
            if (n <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
        return true;
    }

    void serve() const
    {
        static constexpr std::array<std::uint8_t, 6> atr = {0, 4, 0x3B, 0x80, 0x80, 0x01};
        static constexpr std::array<std::uint8_t, 12> challenge = {0, 10, 1, 2, 3,    4,
                                                                   5, 6,  7, 8, 0x90, 0x00};
        static constexpr std::array<std::uint8_t, 4> done = {0, 2, 0x90, 0x00};
        constexpr std::uint8_t get_atr = 4, get_challenge_ins = 0x84;
        std::array<std::uint8_t, 65536> message;
        std::array<std::uint8_t, 2> length;
        while (receive(length)) {
            const auto size = static_cast<std::size_t>(length[0] << 8 | length[1]);
            if (!receive(std::span(message).first(size))) return;
            if (size == 1 && message[0] != get_atr) continue;  // power, reset
            std::span<const std::uint8_t> answer = done;
            if (size == 1) answer = atr;
            if (size > 1 && message[1] == get_challenge_ins) answer = challenge;
            if (::send(socket_, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
        }
    }

    bool quick_ack_;
    pid_t pid_ = 0;
    int socket_ = -1;
};

}  // namespace tallycard::bench
