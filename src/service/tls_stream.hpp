// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

#include <httplib.h>

#include "http.hpp"
#include "tls.hpp"

namespace tallycard::service {

struct StreamLimits {
    std::chrono::milliseconds handshake{5000};
    std::chrono::milliseconds request{10000};  // from its first byte to the last of its answer
    std::chrono::milliseconds idle{60000};     // between requests
    std::size_t longest_request = 65536;       // head and body
};

// One connection with TLS, as cpp-httplib reads and writes it, on a socket that it takes over. The
// peer has a time and a number of bytes for each request as a whole, however it spreads them.
// What is written goes out with flush(), in one piece. One thread at a time.
class TlsStream final : public httplib::Stream {
public:
    TlsStream(int socket, const tls::Context& context, const StreamLimits& limits);
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;
    ~TlsStream() override;

    bool shake_hands();
    // Waits for the first byte of a request. False: there is none, or the time is over.
    bool await_request();
    bool flush();
    // Ends the connection. A peer that is still sending gets a moment to read our last answer.
    void say_goodbye();
    // No further request begins. From any thread.
    void stop_listening() const;

    const Peer& peer() const { return peer_; }
    // Whether the request has used up its time or its bytes.
    bool is_over() const { return over_; }

    bool is_readable() const override { return true; }
    bool is_writable() const override { return true; }
    ssize_t read(char* out, std::size_t size) override;
    ssize_t write(const char* bytes, std::size_t size) override;
    void get_remote_ip_and_port(std::string& ip, int& port) const override;
    void get_local_ip_and_port(std::string& ip, int& port) const override;
    socket_t socket() const override { return socket_; }

private:
    using Clock = std::chrono::steady_clock;
    bool wait(short events);
    bool wait_for(int ssl_error);
    bool fill();

    int socket_;
    SSL* ssl_;
    StreamLimits limits_;
    Clock::time_point deadline_;
    std::size_t received_ = 0;  // of this request
    bool over_ = false, broken_ = false;
    std::array<char, 4096> buffer_{};
    std::size_t at_ = 0, end_ = 0;
    std::string out_;
    Peer peer_;
};

}  // namespace tallycard::service
