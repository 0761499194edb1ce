// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <tallycard/card_registry.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/platform.hpp>

#ifdef TALLYCARD_TEST_SERVICE
#include "service_host.hpp"
#endif

namespace tallycard::test {

// How terminals of a test reach the platform: in process; or, with TALLYCARD_TEST_ISSUER=https in
// the environment, over a service before it. The same cases run over both.
class IssuerAccess {
public:
    explicit IssuerAccess(Platform& platform) : client_(&platform), registry_(&platform)
    {
        const char* way = std::getenv("TALLYCARD_TEST_ISSUER");
        if (way == nullptr) return;
#ifdef TALLYCARD_TEST_SERVICE
        if (way != std::string_view("https")) throw std::runtime_error("no such way to an issuer");
        host_ = std::make_unique<ServiceHost>(platform);
        remote_ = host_->client();
        client_ = remote_.get();
        registry_ = remote_.get();
#else
        throw std::runtime_error("built without the service");
#endif
    }

    IssuerClient& client()
    {
        return *client_;
    }
    CardRegistry& registry()
    {
        return *registry_;
    }

private:
#ifdef TALLYCARD_TEST_SERVICE
    std::unique_ptr<ServiceHost> host_;
    std::unique_ptr<HttpsIssuer> remote_;
#endif
    IssuerClient* client_;
    CardRegistry* registry_;
};

}  // namespace tallycard::test
