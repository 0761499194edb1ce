// SPDX-License-Identifier: Apache-2.0
// A link and a client that say when they take a step: before and after each command to the card and
// each call of the platform.
#pragma once

#include <functional>
#include <type_traits>

#include <tallycard/issuer_client.hpp>

#include "forwarding_link.hpp"

namespace testing {

using Step = std::function<void()>;

class SteppingLink final : public ForwardingLink {
public:
    SteppingLink(tallycard::CardLink& below, Step step)
        : ForwardingLink(below), step_(std::move(step))
    {
    }
    tallycard::Result<std::size_t> transmit(std::span<const std::uint8_t> command,
                                            std::span<std::uint8_t> answer) override
    {
        step_();
        auto size = ForwardingLink::transmit(command, answer);
        step_();
        return size;
    }

private:
    Step step_;
};

class SteppingClient final : public tallycard::IssuerClient {
public:
    SteppingClient(tallycard::IssuerClient& below, Step step)
        : below_(below), step_(std::move(step))
    {
    }
    tallycard::Result<tallycard::CardStanding> standing(
        const tallycard::CardId& id, const std::optional<tallycard::AccountId>& terminal) override
    {
        return around([&] { return below_.standing(id, terminal); });
    }
    tallycard::Result<tallycard::OperationStatus> authorise(
        const tallycard::OperationRequest& request) override
    {
        return around([&] { return below_.authorise(request); });
    }
    tallycard::Result<tallycard::OperationStatus> authorise_transfer(
        const tallycard::TransferRequest& request) override
    {
        return around([&] { return below_.authorise_transfer(request); });
    }
    tallycard::Result<tallycard::OperationStatus> status(
        const tallycard::OperationId& id,
        const std::optional<tallycard::AccountId>& terminal) override
    {
        return around([&] { return below_.status(id, terminal); });
    }
    tallycard::Result<tallycard::FirstInstruction> void_pending(
        const tallycard::CardId& id) override
    {
        return around([&] { return below_.void_pending(id); });
    }
    tallycard::Result<tallycard::Settlement> settle(
        const tallycard::Submission& submission) override
    {
        return around([&] { return below_.settle(submission); });
    }
    tallycard::Result<tallycard::AccountStanding> account_standing(
        const tallycard::AccountId& account) override
    {
        return around([&] { return below_.account_standing(account); });
    }
    tallycard::Result<tallycard::ExecutedOrder> execute(
        const tallycard::SignedOrder& order) override
    {
        return around([&] { return below_.execute(order); });
    }

private:
    template <class F>
    std::invoke_result_t<F> around(F&& call)
    {
        step_();
        auto answer = call();
        step_();
        return answer;
    }
    tallycard::IssuerClient& below_;
    Step step_;
};

}  // namespace testing
