// SPDX-License-Identifier: Apache-2.0
// A platform behind a service of its own, on loopback, and clients of it.
#pragma once

#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <sys/stat.h>

#include <tallycard/https_issuer.hpp>

#include "../../src/service/clients.hpp"
#include "../../src/service/service.hpp"
#include "temporary_folder.hpp"

namespace tallycard::test {

inline void write_file(const std::string& path, const std::string& text)
{
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
}

// A section of the clients' file; `more`: lines of it.
inline std::string client_section(const char* name, const char* roles, const std::string& token,
                                  const std::string& more = {})
{
    return std::string("[client ") + name + "]\nroles = " + roles +
           "\ntoken-sha256 = " + service::digest_of_token(token).to_string() + "\n" + more;
}

class ServiceHost {
public:
    // A client that may do everything, named "all".
    static std::string everything(const std::string& token)
    {
        return client_section("all", "terminal operator auditor", token,
                              "accounts = T1 till-1 till-2\n");
    }

    explicit ServiceHost(Platform& platform, const CheckpointKey* key = nullptr,
                         service::ServiceSettings settings = {}, std::string clients = {})
        : token(service::make_token())
    {
        settings.server.port = 0;
        settings.checkpoint_seconds = 0;
        if (settings.tls.certificate.empty()) {
            settings.tls.certificate = authority();
            settings.tls.key = file("tls.key");
            service::tls::make_self_signed(settings.tls.certificate, settings.tls.key).value();
        }
        settings.clients_file = clients_file();
        write_file(clients_file(), everything(token) + clients);
        service = service::Service::open(platform, key, settings, log).value();
        thread_ = std::thread([this] { service->run(); });
    }
    ServiceHost(const ServiceHost&) = delete;
    ServiceHost& operator=(const ServiceHost&) = delete;
    ~ServiceHost() { stop(); }
    void stop()
    {
        if (!thread_.joinable()) return;
        service->stop();
        thread_.join();
    }

    std::string file(const char* name) const { return folder_.file(name); }
    std::string authority() const { return file("tls.crt"); }
    std::string clients_file() const { return file("clients"); }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(service->port()); }

    HttpsIssuerSettings settings(const std::string& with_token) const
    {
        HttpsIssuerSettings settings;
        settings.url = url();
        settings.ca_file = authority();
        settings.token_file = file(("token-" + with_token.substr(0, 8)).c_str());
        write_file(settings.token_file, with_token + "\n");
        return settings;
    }
    std::unique_ptr<HttpsIssuer> client() const { return client(token); }
    std::unique_ptr<HttpsIssuer> client(const std::string& with_token) const
    {
        return open_https_issuer(settings(with_token)).value();
    }

private:
    TemporaryFolder folder_;

public:
    std::string token;
    service::EventLog log{nullptr};
    std::unique_ptr<service::Service> service;

private:
    std::thread thread_;
};

}  // namespace tallycard::test
