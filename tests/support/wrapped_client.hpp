// SPDX-License-Identifier: Apache-2.0
// A platform, and a way to it on which something happens.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>

#include <tallycard/issuer_client.hpp>

namespace testing {

using namespace tallycard;

enum class Call {
    standing,
    authorise,
    authorise_transfer,
    status,
    void_pending,
    settle,
    account_standing,
    execute
};

class WrappedClient final : public IssuerClient {
public:
    // What the terminal gets instead of the answer; nothing: the answer.
    using Hook = std::function<std::optional<Error>(Call)>;

    explicit WrappedClient(IssuerClient& below) : below_(below) {}

    Hook before, after;                        // the call reaches the platform, or has
    std::function<void(CardStanding&)> amend;  // what the platform says of a card

    Result<CardStanding> standing(const CardId& id,
                                  const std::optional<AccountId>& terminal) override
    {
        auto reply = around(Call::standing, [&] { return below_.standing(id, terminal); });
        if (reply && amend) amend(*reply);
        return reply;
    }
    Result<OperationStatus> authorise(const OperationRequest& request) override
    {
        return around(Call::authorise, [&] { return below_.authorise(request); });
    }
    Result<OperationStatus> authorise_transfer(const TransferRequest& request) override
    {
        return around(Call::authorise_transfer, [&] { return below_.authorise_transfer(request); });
    }
    Result<OperationStatus> status(const OperationId& id,
                                   const std::optional<AccountId>& terminal) override
    {
        return around(Call::status, [&] { return below_.status(id, terminal); });
    }
    Result<FirstInstruction> void_pending(const CardId& id) override
    {
        return around(Call::void_pending, [&] { return below_.void_pending(id); });
    }
    Result<Settlement> settle(const Submission& submission) override
    {
        return around(Call::settle, [&] { return below_.settle(submission); });
    }
    Result<AccountStanding> account_standing(const AccountId& account) override
    {
        return around(Call::account_standing, [&] { return below_.account_standing(account); });
    }
    Result<ExecutedOrder> execute(const SignedOrder& order) override
    {
        return around(Call::execute, [&] { return below_.execute(order); });
    }

private:
    template <class F>
    std::invoke_result_t<F> around(Call which, F&& call)
    {
        if (before) {
            if (const auto error = before(which)) return *error;
        }
        auto answer = call();
        if (after) {
            if (const auto error = after(which)) return *error;
        }
        return answer;
    }
    IssuerClient& below_;
};

}  // namespace testing
