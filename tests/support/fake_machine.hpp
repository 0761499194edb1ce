// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <span>
#include <stdexcept>
#include <string>

#include "../../virtual-card/vicc/vscard_framing.hpp"
#include "vectors.hpp"
#include "vpcd_card.hpp"

namespace testing {

// Plays the part of QEMU's ccid-card-passthru: listens on loopback, at a port of its own, for one
// card at a time. What does not come within the deadline is an error with a name.
class FakeMachine {
public:
    using Type = tallycard::chip::VscardType;
    using Answer = tallycard::chip::VscardError;

    FakeMachine() { listen(); }
    FakeMachine(const FakeMachine&) = delete;
    FakeMachine& operator=(const FakeMachine&) = delete;
    ~FakeMachine()
    {
        hang_up();
        stop_listening();
    }

    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

    // At the same port as before.
    void listen()
    {
        listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_port = htons(port_);
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(own);
        auto* const name = reinterpret_cast<sockaddr*>(&own);
        if (bind(listener_, name, size) != 0 || ::listen(listener_, 1) != 0 ||
            getsockname(listener_, name, &size) != 0)
            throw std::runtime_error("cannot listen on loopback");
        port_ = ntohs(own.sin_port);
    }
    void stop_listening() { close_it(listener_); }
    void restart()
    {
        stop_listening();
        listen();
    }

    void accept()
    {
        wait_for(listener_, "a card connects");
        card_ = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    }
    void hang_up() { close_it(card_); }

    void send_bytes(std::span<const std::uint8_t> bytes, std::size_t piece = SIZE_MAX)
    {
        while (!bytes.empty()) {
            const auto some = bytes.first(std::min(piece, bytes.size()));
            const auto n = ::send(card_, some.data(), some.size(), MSG_NOSIGNAL);
            if (n <= 0) throw std::runtime_error("the card hung up");
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
    }
    void send(Type type, const Bytes& payload, std::size_t piece = SIZE_MAX)
    {
        auto bytes = bytes_of(tallycard::chip::vscard_header(type, reader, payload.size()));
        bytes.insert(bytes.end(), payload.begin(), payload.end());
        send_bytes(bytes, piece);
    }
    void say_init() { send(Type::init, from_hex("565343440000000200000000")); }
    void say(Answer answer) { send(Type::error, bytes_of(tallycard::chip::vscard_error(answer))); }

    // The payload of the next message, which has to be of this type.
    Bytes expect(Type type)
    {
        const auto header = receive(tallycard::chip::vscard_header_size);
        if (number(header, 0) != static_cast<std::uint32_t>(type))
            throw std::runtime_error("message type " + std::to_string(number(header, 0)));
        if (number(header, 4) != reader && number(header, 4) != tallycard::chip::vscard_no_reader)
            throw std::runtime_error("another reader");
        return receive(number(header, 8));
    }
    // Nothing more comes; a connection reset counts, as what was sent may not have been read.
    bool hears_the_end()
    {
        wait_for(card_, "the end of the connection");
        std::uint8_t byte = 0;
        return recv(card_, &byte, 1, 0) <= 0;
    }

    // As QEMU does it, from the card's own init message to the answer to its ATR.
    void take_card()
    {
        accept();
        if (expect(Type::init) != from_hex("565343440000000200000000"))
            throw std::runtime_error("not this protocol");
        insert();
    }
    void insert(Answer answer_to_atr = Answer::none)
    {
        say_init();
        expect(Type::reader_add);
        say(Answer::none);
        // For a command that a lost connection left unanswered.
        if (expect(Type::error) != from_hex("00000001")) throw std::runtime_error("no error");
        if (expect(Type::atr) != t0_atr) throw std::runtime_error("another ATR");
        say(answer_to_atr);
    }

    Bytes transmit(const Bytes& tpdu)
    {
        send(Type::apdu, tpdu);
        return expect(Type::apdu);
    }

private:
    static constexpr std::uint32_t reader = 0;

    static void close_it(int& descriptor)
    {
        if (descriptor >= 0) close(descriptor);
        descriptor = -1;
    }
    static void wait_for(int descriptor, const char* what)
    {
        pollfd waiting{descriptor, POLLIN, 0};
        if (poll(&waiting, 1, 20000) != 1) throw std::runtime_error(std::string("never: ") + what);
    }
    static std::uint32_t number(const Bytes& bytes, std::size_t at)
    {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes.at(at + i);
        return value;
    }
    Bytes receive(std::size_t size)
    {
        Bytes bytes(size);
        for (std::size_t have = 0; have < size;) {
            wait_for(card_, "the card's next message");
            const auto n = recv(card_, bytes.data() + have, size - have, 0);
            if (n <= 0) throw std::runtime_error("the card hung up");
            have += static_cast<std::size_t>(n);
        }
        return bytes;
    }

    std::uint16_t port_ = 0;
    int listener_ = -1, card_ = -1;
};

}  // namespace testing
