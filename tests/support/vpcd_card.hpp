// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

#include "vectors.hpp"

namespace testing {

inline const Bytes t1_atr = from_hex("3b89800154414c4c594341524450");
inline const Bytes t0_atr = from_hex("3b0954414c4c5943415244");

// The Unix socket of a slot of our driver.
inline std::string slot_socket(int slot)
{
    const char* folder = std::getenv("TALLYCARD_SLOTS");
    if (folder == nullptr) throw std::runtime_error("run this with private_pcscd.sh");
    return std::string(folder) + "/slot-" + std::to_string(slot);
}

// A card in a slot of vpcd or of our driver, on a thread of its own: a function from a command to
// an answer. It is in the reader for as long as the object lives; a function that gives nothing
// takes it out in the middle of the command.
class VpcdCard {
public:
    using Card = std::function<std::optional<Bytes>(std::span<const std::uint8_t>)>;

    // In vpcd.
    VpcdCard(int slot, Bytes atr, Card card) : VpcdCard(std::move(atr), std::move(card))
    {
        connect_to(slot);
        thread_ = std::thread([this] { serve(); });
    }
    // At a Unix socket.
    VpcdCard(const std::string& path, Bytes atr, Card card)
        : VpcdCard(std::move(atr), std::move(card))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof(address.sun_path) - 1);
        connect_to(AF_UNIX, address);
        thread_ = std::thread([this] { serve(); });
    }
    VpcdCard(const VpcdCard&) = delete;
    VpcdCard& operator=(const VpcdCard&) = delete;
    ~VpcdCard()
    {
        shutdown(socket_, SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
        close(socket_);
    }

    int resets() const { return resets_; }
    int commands() const { return commands_; }

private:
    static constexpr std::uint8_t reset = 2, get_atr = 4;

    VpcdCard(Bytes atr, Card card) : atr_(std::move(atr)), card_(std::move(card)) {}

    void connect_to(int family, const auto& address)
    {
        socket_ = socket(family, SOCK_STREAM, 0);
        if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
            throw std::runtime_error("no reader listens");
    }

    void connect_to(int slot)
    {
        const char* port = std::getenv("TALLYCARD_VPCD_PORT");
        if (port == nullptr) throw std::runtime_error("run this with private_pcscd.sh");
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port) + slot));
        const char* host = std::getenv("TALLYCARD_VPCD_HOST");
        address.sin_addr.s_addr = inet_addr(host != nullptr ? host : "127.0.0.1");
        connect_to(AF_INET, address);
    }

    // vpcd sends length and payload apart: without this, delayed ACK costs 40 ms on every command.
    bool receive(std::span<std::uint8_t> bytes)
    {
        std::size_t have = 0;
        while (have < bytes.size()) {
            const int on = 1;
            setsockopt(socket_, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
            const auto n = recv(socket_, bytes.data() + have, bytes.size() - have, 0);
            if (n <= 0) return false;
            have += static_cast<std::size_t>(n);
        }
        return true;
    }

    void answer(const Bytes& bytes)
    {
        Bytes message = {static_cast<std::uint8_t>(bytes.size() >> 8),
                         static_cast<std::uint8_t>(bytes.size())};
        message.insert(message.end(), bytes.begin(), bytes.end());
        (void)!send(socket_, message.data(), message.size(), MSG_NOSIGNAL);
    }

    void serve()
    {
        std::array<std::uint8_t, 2> length{};
        while (receive(length)) {
            Bytes message(static_cast<std::size_t>(length[0] << 8 | length[1]));
            if (!receive(message) || !take(message)) break;
        }
        shutdown(socket_, SHUT_RDWR);
    }

    bool take(const Bytes& message)
    {
        if (message.size() == 1) {
            if (message[0] == reset) ++resets_;
            if (message[0] == get_atr) answer(atr_);
            return true;
        }
        ++commands_;
        const auto given = card_(message);
        if (given) answer(*given);
        return given.has_value();
    }

    Bytes atr_;
    Card card_;
    int socket_ = -1;
    std::atomic<int> resets_ = 0, commands_ = 0;
    std::thread thread_;
};

}  // namespace testing
