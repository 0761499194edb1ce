// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <type_traits>

#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// Runs work(transaction), which returns a Result, alone, and commits where it succeeds. What it
// answers is durable. An Error means that nothing has happened, or, where the commit itself failed,
// that nothing has and after a crash something may: Effect::unknown.
template <class Work>
auto writing(std::mutex& mutex, Store& store, Work&& work)
    -> std::invoke_result_t<Work, StoreTransaction&>
{
    const std::scoped_lock lock(mutex);
    auto transaction = store.write();
    if (!transaction) return transaction.error();
    auto result = work(**transaction);
    if (!result) return result;
    if (const auto committed = (*transaction)->commit(); !committed) {
        // The disk may hold all of it, and a crash bring it back: nobody may rely on its absence.
        auto error = committed.error();
        error.effect = Effect::unknown;
        return error;
    }
    return result;
}

// The same without anything to commit.
template <class Work>
auto reading(std::mutex& mutex, Store& store, Work&& work)
    -> std::invoke_result_t<Work, StoreTransaction&>
{
    const std::scoped_lock lock(mutex);
    auto transaction = store.read();
    if (!transaction) return transaction.error();
    return work(**transaction);
}

// Calls visit(row) for every row that next(after, limit) gives, in its order.
template <class Key, class Next, class Visit, class KeyOf>
Result<void> for_each_row(Next&& next, KeyOf&& key_of, Visit&& visit)
{
    constexpr std::size_t at_once = 256;
    std::optional<Key> after;
    for (;;) {
        const auto rows = next(after, at_once);
        if (!rows) return rows.error();
        for (const auto& row : *rows)
            if (const Result<void> done = visit(row); !done) return done;
        if (rows->size() < at_once) return {};
        after = key_of(rows->back());
    }
}

template <class Visit>
Result<void> for_each_card(StoreTransaction& store, Visit&& visit)
{
    return for_each_row<CardId>(
        [&](const auto& after, std::size_t limit) { return store.cards(after, limit); },
        [](const CardRow& row) { return row.card_id; }, visit);
}

template <class Visit>
Result<void> for_each_account(StoreTransaction& store, Visit&& visit)
{
    return for_each_row<AccountName>(
        [&](const auto& after, std::size_t limit) { return store.accounts(after, limit); },
        [](const AccountRow& row) { return row.name; }, visit);
}

}  // namespace tallycard
