// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <tallycard/platform.hpp>

#include "platform_transaction.hpp"

namespace tallycard {
namespace {

// One page looks at so many entries at most.
constexpr std::size_t most_looked_at = 4096;

Error damaged_ledger()
{
    return Error{.code = Errc::file_damaged, .where = "ledger"};
}

Result<Entry> entry_at(StoreTransaction& store, std::uint64_t index)
{
    const auto entry = store.entry(index);
    if (!entry) return entry.error();
    if (!*entry) return damaged_ledger();
    return **entry;
}

// The number of the first entry that is not before `time`. They are in its order.
Result<std::uint64_t> first_at(StoreTransaction& store, Time time)
{
    const auto end = store.ledger_end();
    if (!end) return end.error();
    std::uint64_t low = 0, high = end->entries;
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        const auto entry = entry_at(store, middle);
        if (!entry) return entry.error();
        (entry->time < time ? low : high) = entry->time < time ? middle + 1 : middle;
    }
    return low;
}

const char* kind_name(const Entry& entry)
{
    if (const auto* record = entry.record()) return name(record->operation.kind);
    if (const auto* order = entry.account_record()) return name(order->order.kind);
    return "gap";
}

std::uint64_t size_of(const LedgerRow& row)
{
    return row.posting ? row.posting->amount.magnitude() : 0;
}

bool fits(const StatementQuery& query, const LedgerRow& row)
{
    const auto* delivered = row.entry.delivered();
    if (query.terminal && (delivered == nullptr || delivered->terminal != *query.terminal))
        return false;
    if (!query.kind.empty() && query.kind != kind_name(row.entry)) return false;
    if (query.least && size_of(row) < query.least->magnitude()) return false;
    return !query.most || size_of(row) <= query.most->magnitude();
}

// How many entries one page looks at: one more than it shows where all of them fit.
std::size_t looks_at(const StatementQuery& query)
{
    const bool all_fit =
        query.kind.empty() && !query.least && !query.most && !(query.account && query.terminal);
    return all_fit ? std::min(query.limit, most_looked_at - 1) + 1 : most_looked_at;
}

// The numbers of entries that may fit, from `from` on.
Result<std::vector<std::uint64_t>> candidates(StoreTransaction& store, const StatementQuery& query,
                                              std::uint64_t from, std::uint64_t end)
{
    const auto most = looks_at(query);
    if (query.account) return store.entries_of(*query.account, from, most);
    if (query.terminal) return store.entries_by(*query.terminal, from, most);
    std::vector<std::uint64_t> all;
    for (; from < end && all.size() < most; ++from) all.push_back(from);
    return all;
}

Result<LedgerRow> row_at(StoreTransaction& store, std::uint64_t index)
{
    const auto entry = entry_at(store, index);
    if (!entry) return entry.error();
    const auto posting = store.posting(index);
    if (!posting) return posting.error();
    const auto reference = store.reference(index);
    if (!reference) return reference.error();
    LedgerRow row{index, *entry, *posting, *reference, {}};
    const auto* record = entry->record();
    if (record == nullptr || !record->consent) return row;
    const auto& operation = record->operation;
    const auto signed_ones = store.operations(operation.card_id, operation.sequence);
    if (!signed_ones) return signed_ones.error();
    for (const auto& one : *signed_ones)
        if (one.first.operation == operation) row.refunds = one.refunds;
    return row;
}

Result<StatementPage> page_of(StoreTransaction& store, const StatementQuery& query)
{
    const auto begin = query.since ? first_at(store, *query.since) : Result<std::uint64_t>(0);
    if (!begin) return begin.error();
    const auto end = query.until ? first_at(store, *query.until) : store.entry_count();
    if (!end) return end.error();
    const auto found = candidates(store, query, std::max(query.from, *begin), *end);
    if (!found) return found.error();
    StatementPage page;
    for (const auto index : *found) {
        if (index >= *end) return page;
        if (page.rows.size() == query.limit) {
            page.next = index;
            return page;
        }
        const auto row = row_at(store, index);
        if (!row) return row.error();
        if (fits(query, *row)) page.rows.push_back(*row);
    }
    if (found->size() == looks_at(query) && found->back() + 1 < *end) page.next = found->back() + 1;
    return page;
}

}  // namespace

Result<StatementPage> Platform::statement(const StatementQuery& query)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) { return page_of(store, query); });
}

Result<std::int64_t> Platform::balance_at(const AccountName& account, Time time)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<std::int64_t> {
        const auto before = first_at(store, time);
        if (!before) return before.error();
        const auto posting = store.last_posting(account, *before);
        if (!posting) return posting.error();
        if (!*posting) return 0;
        return (*posting)->debit == account ? (*posting)->debit_after : (*posting)->credit_after;
    });
}

}  // namespace tallycard
