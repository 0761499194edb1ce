// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <tallycard/https_issuer.hpp>
#include <tallycard/result.hpp>

#include "endpoint.hpp"

namespace tallycard::https {

// What the service answered.
struct Reply {
    int status = 0;
    std::string body;
    unsigned retry_after = 0;  // seconds, where it said so
};

// A connection to the service, made when it is needed and kept. Not thread-safe.
class Connection {
public:
    static Result<Connection> open(const HttpsIssuerSettings& settings);
    // To another place than `settings.url`.
    static Result<Connection> open(const Endpoint& endpoint, const HttpsIssuerSettings& settings);
    Connection(Connection&& other) noexcept;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection& operator=(Connection&&) = delete;
    ~Connection();

    // A request that is safe to repeat. Errc::issuer_unreachable: see HttpsIssuer.
    Result<Reply> get(const std::string& path);
    Result<Reply> post(const std::string& path, const std::string& body);
    // From any thread: a request that is under way fails.
    void interrupt();

private:
    struct Client;
    explicit Connection(std::unique_ptr<Client> client);
    template <class Send>
    Result<Reply> exchange(const Send& send);
    std::unique_ptr<Client> client_;
};

}  // namespace tallycard::https
