// SPDX-License-Identifier: Apache-2.0
// The accounts of a ledger beside the cards, as its entries leave them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include <tallycard/account_order.hpp>
#include <tallycard/store_rows.hpp>

#include "ledger_checks.hpp"

namespace tallycard {

class LedgerAccounts {
public:
    struct Account {
        std::int64_t balance = 0;
        std::uint32_t number = 0;       // of its last order
        std::optional<OwnerKeys> keys;  // there while it is open
        std::set<OperationId> order_ids;
    };

    // Credits an account, or debits it where `by` is below zero.
    Objection change(const AccountName& name, Amount by);
    // Numbers an order: each executes at most once, and in its place.
    Objection number(const AccountOrder& order);

    // Makes it known where it is not.
    Account& at(const AccountName& name) { return all_[name]; }
    const Account* find(const AccountName& name) const;
    bool is_open(const AccountName& name) const;

    // All that the entries name or move; no account of a card.
    const std::map<AccountName, Account>& all() const { return all_; }

private:
    std::map<AccountName, Account> all_;
};

}  // namespace tallycard
