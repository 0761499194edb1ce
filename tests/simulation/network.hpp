// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <tallycard/issuer_client.hpp>

#include "auditor.hpp"
#include "platform_host.hpp"

namespace simulation {

// Calls that their callers took for lost, and that arrive in a later step, in any order.
struct LateCall {
    std::function<void()> call;
    std::optional<OperationId> id;  // of a request to sign, or an order
};
using LateCalls = std::vector<LateCall>;

// The way between a terminal and the platform.
class Network final : public IssuerClient {
public:
    Network(Environment& environment, PlatformHost& host, Auditor& auditor, LateCalls& late)
        : environment_(environment), host_(host), auditor_(auditor), late_(late)
    {
    }

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
    // Goes once, through whatever is planned for this call.
    template <class Reply>
    Result<Reply> pass(const std::function<Result<Reply>()>& call,
                       std::optional<OperationId> id = std::nullopt);

    Environment& environment_;
    PlatformHost& host_;
    Auditor& auditor_;
    LateCalls& late_;
    std::optional<Fault> flip_;
};

}  // namespace simulation
