// SPDX-License-Identifier: Apache-2.0
// Account orders (docs/accounts.md, sections 3 and 5) within one transaction of the store.
#pragma once

#include <optional>

#include <tallycard/platform.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

#include "books.hpp"

namespace tallycard {

// The parts of a card's book, as it can be recovered at `now`.
Result<Recoverable> recoverable(StoreTransaction& store, const CardRow& card,
                                const PlatformSettings& settings, Time now);

class AccountOrders {
public:
    AccountOrders(StoreTransaction& transaction, const PlatformSettings& settings, Time now)
        : store_(&transaction), settings_(&settings), now_(now), books_(transaction)
    {
    }

    // All checks come before the first write: a refusal has written nothing.
    Result<ExecutedOrder> execute(const SignedOrder& signed_order);

private:
    Result<std::optional<ExecutedOrder>> known(const AccountOrder& order);
    // Refuses an order of a kind that the account's state does not admit.
    Result<void> check_state(const AccountRow& row, const AccountOrder& order);
    Result<void> check_holder(const CardId& holder, const AccountOrder& order);
    Result<void> check_owner(const AccountRow& row, const SignedOrder& signed_order) const;
    Result<void> check_funds(const AccountOrder& order);
    // Refuses what single kinds refuse beside that.
    Result<void> check_other_side(const AccountOrder& order);
    Result<void> check_keys(const AccountRow& row);
    // The card that the order names, which must be denied.
    Result<CardRow> denied_card(const AccountOrder& order);
    Result<void> check_card(const AccountOrder& order);
    Result<OperationRow> pending_transfer(const CardRow& card, const AccountOrder& order);

    Result<void> change_account(const AccountOrder& order);
    Result<std::int64_t> change_card(const AccountOrder& order);

    StoreTransaction* store_;
    const PlatformSettings* settings_;
    Time now_;
    Books books_;
};

}  // namespace tallycard
