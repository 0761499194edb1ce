// SPDX-License-Identifier: Apache-2.0
// Requests to a service as any HTTP client would send them, and as none would.
#pragma once

#include <memory>
#include <string>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "service_host.hpp"

namespace tallycard::test {

struct WebAnswer {
    int status = 0;
    nlohmann::json body;
    std::string text, retry_after;
    // "not_permitted", of an error.
    std::string code() const
    {
        return body.contains("error") ? body["error"]["code"].get<std::string>() : "";
    }
    std::string where() const { return body["error"]["where"].get<std::string>(); }
    std::string message() const { return body["error"]["message"].get<std::string>(); }
};

class WebClient {
public:
    explicit WebClient(const ServiceHost& host, const std::string& token = {},
                       const std::string& certificate = {}, const std::string& key = {})
        : http_(std::make_unique<httplib::SSLClient>("127.0.0.1", host.service->port(), certificate,
                                                     key))
    {
        http_->set_ca_cert_path(host.authority());
        http_->enable_server_certificate_verification(true);
        http_->set_keep_alive(true);
        http_->set_read_timeout(20);
        if (!token.empty()) headers_.emplace("Authorization", "Bearer " + token);
    }
    WebAnswer get(const std::string& path) { return answer(http_->Get(path, headers_)); }
    WebAnswer post(const std::string& path, const std::string& body,
                   const std::string& type = "application/json")
    {
        return answer(http_->Post(path, headers_, body, type));
    }

private:
    static WebAnswer answer(const httplib::Result& result)
    {
        if (!result) return {};
        return {.status = result->status,
                .body = nlohmann::json::parse(result->body, nullptr, false),
                .text = result->body,
                .retry_after = result->get_header_value("Retry-After")};
    }
    std::unique_ptr<httplib::SSLClient> http_;
    httplib::Headers headers_;
};

// A connection with TLS on which any bytes go out.
class RawConnection {
public:
    explicit RawConnection(const ServiceHost& host)
        : context_(SSL_CTX_new(TLS_client_method())), bio_(BIO_new_ssl_connect(context_))
    {
        BIO_set_conn_hostname(bio_, host.url().substr(8).c_str());
        connected_ = BIO_do_connect(bio_) == 1;
    }
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;
    ~RawConnection()
    {
        BIO_free_all(bio_);
        SSL_CTX_free(context_);
    }
    bool is_connected() const { return connected_; }
    bool send(const std::string& bytes)
    {
        return BIO_write(bio_, bytes.data(), static_cast<int>(bytes.size())) ==
               static_cast<int>(bytes.size());
    }
    // What comes until the service closes.
    std::string read_all()
    {
        std::string text;
        char buffer[4096];
        for (;;) {
            const int n = BIO_read(bio_, buffer, sizeof buffer);
            if (n <= 0) return text;
            text.append(buffer, static_cast<std::size_t>(n));
        }
    }

private:
    SSL_CTX* context_;
    BIO* bio_;
    bool connected_ = false;
};

}  // namespace tallycard::test
