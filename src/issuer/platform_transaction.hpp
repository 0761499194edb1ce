// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>
#include <thread>
#include <type_traits>

#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// How long a call goes on beginning again, and waits in between: ever longer, and never as long as
// another process that began at the same moment.
class Patience {
public:
    // Whether the call is to run again after this error, which means that nothing has happened.
    // Waits before it answers.
    bool again_after(const Error& error)
    {
        if (error.code != Errc::store_busy && error.code != Errc::store_unreachable) return false;
        std::uniform_int_distribution<std::int64_t> up_to(0, pause_.count());
        std::random_device random;
        const std::chrono::microseconds pause(up_to(random));
        if (Clock::now() + pause >= end_) return false;
        std::this_thread::sleep_for(pause);
        pause_ = std::min(2 * pause_, longest_pause);
        return true;
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::microseconds longest_pause{100'000};
    Clock::time_point end_ = Clock::now() + std::chrono::seconds(10);
    std::chrono::microseconds pause_{1'000};
};

// What work(transaction) answers, committed where it succeeds.
template <class Work>
auto attempt(Store& store, Work& work) -> std::invoke_result_t<Work, StoreTransaction&>
{
    auto transaction = store.write();
    if (!transaction) return transaction.error();
    auto result = work(**transaction);
    if (!result) return result;
    if (const auto committed = (*transaction)->commit(); !committed) {
        auto error = committed.error();
        // The disk may hold all of it, and a crash bring it back; or only the answer was lost:
        // nobody may rely on its absence.
        if (error.code != Errc::store_busy) error.effect = Effect::unknown;
        return error;
    }
    return result;
}

// Runs work(transaction), which returns a Result, alone, and commits where it succeeds. What it
// answers is durable. An Error means that nothing has happened, or, where the commit itself failed,
// that perhaps something has: Effect::unknown. Where another process was first, or the connection
// was lost before the commit, all of it runs again: `work` keeps nothing of a run that failed.
template <class Work>
auto writing(std::mutex& mutex, Store& store, Work&& work)
    -> std::invoke_result_t<Work, StoreTransaction&>
{
    const std::scoped_lock lock(mutex);
    for (Patience patience;;) {
        auto result = attempt(store, work);
        if (result || result.error().effect == Effect::unknown) return result;
        if (!patience.again_after(result.error())) return result;
    }
}

// The same without anything to commit.
template <class Work>
auto reading(std::mutex& mutex, Store& store, Work&& work)
    -> std::invoke_result_t<Work, StoreTransaction&>
{
    const std::scoped_lock lock(mutex);
    for (Patience patience;;) {
        auto result = [&]() -> std::invoke_result_t<Work, StoreTransaction&> {
            auto transaction = store.read();
            if (!transaction) return transaction.error();
            return work(**transaction);
        }();
        if (result || !patience.again_after(result.error())) return result;
    }
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

template <class Visit>
Result<void> for_each_denial(StoreTransaction& store, Visit&& visit)
{
    constexpr std::size_t at_once = 256;
    for (std::uint64_t seen = 0;;) {
        const auto rows = store.deny_list(seen, at_once);
        if (!rows) return rows.error();
        for (const auto& row : *rows)
            if (const Result<void> done = visit(row); !done) return done;
        if (rows->size() < at_once) return {};
        seen += rows->size();
    }
}

}  // namespace tallycard
