// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <tallycard/offline_issuer.hpp>
#include <tallycard/platform.hpp>

#include "input.hpp"

namespace fuzz {

// The way to the platform, on which calls and answers get lost. Remembers which terminals have
// asked for what a card has signed.
class LossyIssuer final : public tallycard::IssuerClient {
public:
    LossyIssuer(tallycard::Platform& platform, Input& input) : platform_(platform), input_(input) {}
    void be_honest() { is_honest_ = true; }
    bool has_asked(const tallycard::AccountId& terminal,
                   const tallycard::Operation& operation) const
    {
        const auto asked = asked_.find(operation.digest());
        return asked != asked_.end() &&
               std::ranges::find(asked->second, terminal) != asked->second.end();
    }

    tallycard::Result<tallycard::CardStanding> standing(
        const tallycard::CardId& card_id,
        const std::optional<tallycard::AccountId>& terminal) override
    {
        return pass([&](auto& issuer) { return issuer.standing(card_id, terminal); });
    }
    tallycard::Result<tallycard::OperationStatus> authorise(
        const tallycard::OperationRequest& request) override
    {
        return pass([&](auto& issuer) { return issuer.authorise(request); });
    }
    tallycard::Result<tallycard::OperationStatus> authorise_transfer(
        const tallycard::TransferRequest& request) override
    {
        asked_[request.second.operation.digest()].push_back(request.terminal);
        return pass([&](auto& issuer) { return issuer.authorise_transfer(request); });
    }
    tallycard::Result<tallycard::OperationStatus> status(
        const tallycard::OperationId& id,
        const std::optional<tallycard::AccountId>& terminal) override
    {
        return pass([&](auto& issuer) { return issuer.status(id, terminal); });
    }
    tallycard::Result<tallycard::FirstInstruction> void_pending(
        const tallycard::CardId& card_id) override
    {
        return pass([&](auto& issuer) { return issuer.void_pending(card_id); });
    }
    tallycard::Result<tallycard::Settlement> settle(
        const tallycard::Submission& submission) override
    {
        return pass([&](auto& issuer) { return issuer.settle(submission); });
    }
    tallycard::Result<tallycard::AccountStanding> account_standing(
        const tallycard::AccountId& account) override
    {
        return pass([&](auto& issuer) { return issuer.account_standing(account); });
    }
    tallycard::Result<tallycard::ExecutedOrder> execute(
        const tallycard::SignedOrder& order) override
    {
        return pass([&](auto& issuer) { return issuer.execute(order); });
    }

private:
    template <class Call>
    auto pass(Call&& call) -> decltype(call(std::declval<tallycard::Platform&>()))
    {
        const auto how = is_honest_ ? 0 : input_.byte();
        if (how >= 0xF8) return call(offline_);
        auto answer = call(platform_);
        if (how < 0xF0) return answer;
        return tallycard::Error{.code = tallycard::Errc::issuer_unreachable,
                                .effect = tallycard::Effect::unknown,
                                .where = "fuzz"};
    }

    tallycard::Platform& platform_;
    tallycard::OfflineIssuer offline_;
    Input& input_;
    std::map<tallycard::Digest, std::vector<tallycard::AccountId>> asked_;
    bool is_honest_ = false;
};

}  // namespace fuzz
