// SPDX-License-Identifier: Apache-2.0
#include <tallycard/store_rows.hpp>

namespace tallycard {

std::string AccountName::to_string() const
{
    std::string text;
    switch (kind) {
    case AccountKind::cash: text = "cash/"; break;
    case AccountKind::associated: text = "account/"; break;
    case AccountKind::card: text = "card/"; break;
    case AccountKind::outside: text = "outside/"; break;
    }
    text += id.text();
    return text;
}

AccountName cash_account(const AccountId& terminal)
{
    return {.kind = AccountKind::cash, .id = terminal};
}

AccountName associated_account(const AccountId& account)
{
    return {.kind = AccountKind::associated, .id = account};
}

AccountName card_account(const CardId& card_id)
{
    return {.kind = AccountKind::card, .id = *AccountId::parse(card_id.to_string())};
}

AccountName outside_account(const AccountId& name)
{
    return {.kind = AccountKind::outside, .id = name};
}

std::optional<AccountName> other_side(const Operation& operation)
{
    if (!operation.account) return std::nullopt;
    const bool moves_cash = operation.kind == Kind::top_up || operation.kind == Kind::cash_out;
    return moves_cash ? cash_account(*operation.account) : associated_account(*operation.account);
}

AccountName account_of(const AccountOrder& order)
{
    return order.kind == OrderKind::hand_in ? cash_account(order.account)
                                            : associated_account(order.account);
}

const char* name(EvidenceReason reason) noexcept
{
    switch (reason) {
    case EvidenceReason::second_result: return "second_result";
    case EvidenceReason::foreign_operation: return "foreign_operation";
    case EvidenceReason::broken_chain: return "broken_chain";
    case EvidenceReason::wrong_balance: return "wrong_balance";
    case EvidenceReason::wrong_state: return "wrong_state";
    }
    return "?";
}

}  // namespace tallycard
