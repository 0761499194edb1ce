// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <tallycard/result.hpp>

#include "http.hpp"
#include "tls.hpp"

namespace tallycard::service {

struct ServerSettings {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;              // 0: any free one
    std::size_t most_connections = 256;  // each has a thread
    unsigned handshake_seconds = 5, request_seconds = 10, idle_seconds = 60;
    std::size_t longest_body = 16384;
    std::string content_type = "application/json";  // of what is posted; empty: any
};

// Serves one application over HTTPS. Thread-safe.
//
// Whoever connects beyond most_connections gets Application::overloaded(); beyond those that are
// being told so, the kernel's queue of connections holds the rest. A peer that is slow, or sends
// more than a request may have, loses its connection.
class HttpsServer {
public:
    // Bound, and not serving yet. Errc::file_rejected (detail: errno) when the address cannot be
    // had.
    static Result<std::unique_ptr<HttpsServer>> bind(const ServerSettings& settings,
                                                     tls::Context context,
                                                     Application& application);
    virtual ~HttpsServer() = default;

    virtual std::uint16_t port() const = 0;
    // Serves until stop(): then no connection is taken any more, and those that are end with the
    // request they are in.
    virtual void run() = 0;
    virtual void stop() = 0;
    // For the connections that come from now on.
    virtual void replace(tls::Context context) = 0;
    virtual std::size_t connections() const = 0;
};

}  // namespace tallycard::service
