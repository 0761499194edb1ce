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
    Result<Reply> post(const std::string& path, const std::string& body,
                       const char* content_type = "application/json");

    // From any thread: ends the request that is under way, however slowly it is answered, and lets
    // none begin until allow().
    void cancel();
    void allow();

private:
    struct Client;
    explicit Connection(std::unique_ptr<Client> client);
    template <class Send>
    Result<Reply> exchange(const Send& send);
    std::unique_ptr<Client> client_;
};

}  // namespace tallycard::https
