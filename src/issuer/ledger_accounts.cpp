// SPDX-License-Identifier: Apache-2.0
#include "ledger_accounts.hpp"

#include <limits>

namespace tallycard {

// Entries are in the order of settlement, in which an honest platform never overdraws an account.
Objection LedgerAccounts::change(const AccountName& name, Amount by)
{
    auto& balance = at(name).balance;
    std::int64_t changed = 0;
    const bool left_range = __builtin_add_overflow(balance, by.to_minor_units(), &changed) ||
                            changed == std::numeric_limits<std::int64_t>::min();
    if (left_range) return "the account's balance leaves 64 bits";
    if (name.kind == AccountKind::associated && changed < 0)
        return "the account does not hold that much";
    balance = changed;
    return nullptr;
}

Objection LedgerAccounts::number(const AccountOrder& order)
{
    auto& account = at(account_of(order));
    if (order.number != std::uint64_t{account.number} + 1)
        return "the order's number is not the account's next one";
    if (!account.order_ids.insert(order.id).second)
        return "the account has had an order with this operation id";
    account.number = order.number;
    return nullptr;
}

const LedgerAccounts::Account* LedgerAccounts::find(const AccountName& name) const
{
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : &found->second;
}

bool LedgerAccounts::is_open(const AccountName& name) const
{
    const auto* account = find(name);
    return account != nullptr && account->keys.has_value();
}

}  // namespace tallycard
