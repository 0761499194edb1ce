// SPDX-License-Identifier: Apache-2.0
#include <tallycard/card_registry.hpp>
#include <tallycard/offline_issuer.hpp>

namespace tallycard {
namespace {

constexpr Error unreachable{.code = Errc::issuer_unreachable, .where = "issuer"};

}  // namespace

IssuerClient::~IssuerClient() = default;
CardRegistry::~CardRegistry() = default;

Result<CardStanding> OfflineIssuer::standing(const CardId&, const std::optional<AccountId>&)
{
    return unreachable;
}

Result<OperationStatus> OfflineIssuer::authorise(const OperationRequest&)
{
    return unreachable;
}

Result<OperationStatus> OfflineIssuer::authorise_transfer(const TransferRequest&)
{
    return unreachable;
}

Result<OperationStatus> OfflineIssuer::status(const OperationId&, const std::optional<AccountId>&)
{
    return unreachable;
}

Result<FirstInstruction> OfflineIssuer::void_pending(const CardId&)
{
    return unreachable;
}

Result<Settlement> OfflineIssuer::settle(const Submission&)
{
    return unreachable;
}

Result<AccountStanding> OfflineIssuer::account_standing(const AccountId&)
{
    return unreachable;
}

Result<ExecutedOrder> OfflineIssuer::execute(const SignedOrder&)
{
    return unreachable;
}

}  // namespace tallycard
