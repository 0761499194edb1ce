// SPDX-License-Identifier: Apache-2.0
// A witness behind HTTPS on loopback.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "issuer/add_checkpoint.hpp"
#include "service/https_server.hpp"
#include "temporary_folder.hpp"
#include "witness/serving.hpp"
#include "witness_keys.hpp"

namespace tallycard::test {

class WitnessHost {
public:
    // Number `n`, which knows one log. Without serve() nobody answers at its URL, whose port is its
    // own from now on.
    WitnessHost(unsigned n, const NoteKey& log) : number_(n), log_key_(log)
    {
        service::tls::make_self_signed(authority(), folder_.file("tls.key")).value();
        start();
    }
    WitnessHost(const WitnessHost&) = delete;
    WitnessHost& operator=(const WitnessHost&) = delete;
    ~WitnessHost() { stop(); }

    void start()
    {
        witness_ = std::make_unique<witness::Witness>(
            witness_key(number_), std::vector{log_key_},
            witness::State::open(folder_.file("state")).value(), [] { return 1800000000; });
        serving_ = std::make_unique<witness::Serving>(*witness_, log_);
        service::ServerSettings settings;
        settings.port = port_;
        settings.longest_body = AddCheckpoint::longest;
        settings.content_type.clear();
        auto context =
            service::tls::open({authority(), folder_.file("tls.key"), std::string()}).value();
        server_ = service::HttpsServer::bind(settings, std::move(context), *serving_).value();
        port_ = server_->port();
        thread_ = std::thread([this] { server_->run(); });
    }
    void stop()
    {
        if (!thread_.joinable()) return;
        server_->stop();
        thread_.join();
        server_.reset();
        serving_.reset();
        witness_.reset();
    }

    std::string authority() const { return folder_.file("tls.crt"); }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
    std::uint64_t known() const
    {
        const auto head = witness::newest_in(folder_.file("state"), log_key_.name).value();
        return head ? head->size : 0;
    }
    witness::Answer ask(const std::string& request) { return witness_->add_checkpoint(request); }

private:
    TemporaryFolder folder_;
    unsigned number_;
    NoteKey log_key_;
    std::uint16_t port_ = 0;
    service::EventLog log_{nullptr};
    std::unique_ptr<witness::Witness> witness_;
    std::unique_ptr<witness::Serving> serving_;
    std::unique_ptr<service::HttpsServer> server_;
    std::thread thread_;
};

}  // namespace tallycard::test
