// SPDX-License-Identifier: Apache-2.0
// A platform in a process of its own, and the client that talks to it: whole calls as they are in
// memory, since both are the same program. Not a protocol for anything but these tests.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <tallycard/platform.hpp>

#include "support/descriptor.hpp"

namespace testing {

using namespace tallycard;

struct PlatformCall {
    enum class What : std::uint8_t {
        standing,
        authorise,
        transfer,
        status,
        cancel,
        settle,
        account_standing,
        execute
    };

    What what = What::standing;
    CardId card_id{};
    std::optional<AccountId> terminal{};
    OperationId id{};
    std::optional<OperationRequest> request{};
    std::optional<TransferRequest> transfer{};
    std::optional<Submission> submission{};
    std::optional<AccountId> account{};
    std::optional<SignedOrder> order{};
};

// Serves one client after the other, until this process is killed. `ready`: from now on.
void serve_platform(const std::string& socket_path, Platform& platform,
                    const std::function<void()>& ready);

class RemotePlatform final : public IssuerClient {
public:
    explicit RemotePlatform(std::string socket_path) : path_(std::move(socket_path)) {}

    Result<CardStanding> standing(const CardId& card_id,
                                  const std::optional<AccountId>& terminal) override;
    Result<OperationStatus> authorise(const OperationRequest& request) override;
    Result<OperationStatus> authorise_transfer(const TransferRequest& request) override;
    Result<OperationStatus> status(const OperationId& id,
                                   const std::optional<AccountId>& terminal) override;
    Result<FirstInstruction> void_pending(const CardId& card_id) override;
    Result<Settlement> settle(const Submission& submission) override;
    Result<AccountStanding> account_standing(const AccountId& account) override;
    Result<ExecutedOrder> execute(const SignedOrder& order) override;

private:
    template <class T>
    Result<T> ask(const PlatformCall& call);
    bool connect();

    std::string path_;
    Descriptor socket_;
};

}  // namespace testing
