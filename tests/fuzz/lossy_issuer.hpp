// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <tallycard/offline_issuer.hpp>
#include <tallycard/platform.hpp>

#include "input.hpp"

namespace fuzz {

// The way to the platform, on which calls and answers get lost.
class LossyIssuer final : public tallycard::IssuerClient {
public:
    LossyIssuer(tallycard::Platform& platform, Input& input) : platform_(platform), input_(input) {}
    void be_honest() { is_honest_ = true; }

    tallycard::Result<tallycard::CardStanding> standing(const tallycard::CardId& card_id) override
    {
        return pass([&](auto& issuer) { return issuer.standing(card_id); });
    }
    tallycard::Result<tallycard::OperationStatus> authorise(
        const tallycard::OperationRequest& request) override
    {
        return pass([&](auto& issuer) { return issuer.authorise(request); });
    }
    tallycard::Result<tallycard::OperationStatus> authorise_transfer(
        const tallycard::OperationId& id, const tallycard::SecondInstruction& second) override
    {
        return pass([&](auto& issuer) { return issuer.authorise_transfer(id, second); });
    }
    tallycard::Result<tallycard::OperationStatus> status(const tallycard::OperationId& id) override
    {
        return pass([&](auto& issuer) { return issuer.status(id); });
    }
    tallycard::Result<tallycard::FirstInstruction> void_pending(
        const tallycard::CardId& card_id) override
    {
        return pass([&](auto& issuer) { return issuer.void_pending(card_id); });
    }
    tallycard::Result<tallycard::Settlement> settle(
        const tallycard::Receipt& receipt,
        const std::optional<tallycard::Operation>& operation) override
    {
        return pass([&](auto& issuer) { return issuer.settle(receipt, operation); });
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
    bool is_honest_ = false;
};

}  // namespace fuzz
