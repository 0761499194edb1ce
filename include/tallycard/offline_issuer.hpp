// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/export.hpp>
#include <tallycard/issuer_client.hpp>

namespace tallycard {

// The platform of a terminal that has no way to it: every call is Errc::issuer_unreachable. Enough
// for Terminal::pay, state, history and change_pin. Thread-safe.
class TALLYCARD_EXPORT OfflineIssuer final : public IssuerClient {
public:
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
};

}  // namespace tallycard
