// SPDX-License-Identifier: Apache-2.0
#include <tallycard/platform.hpp>

#include <algorithm>

#include "ledger_tree.hpp"
#include "platform_transaction.hpp"

namespace tallycard {
namespace {

Result<std::optional<ChainRow>> row_of(StoreTransaction& store, const ChainName& name)
{
    const auto chains = store.chains();
    if (!chains) return chains.error();
    const auto found = std::ranges::find(*chains, name, &ChainRow::name);
    return found == chains->end() ? std::nullopt : std::optional(*found);
}

Result<ChainStanding> standing_of(StoreTransaction& store, const ChainName& name)
{
    const auto row = row_of(store, name);
    if (!row) return row.error();
    if (!*row) return ChainStanding{};
    auto outbox = store.outbox(name);
    if (!outbox) return outbox.error();
    return ChainStanding{.final_entries = (*row)->final_entries, .outbox = std::move(*outbox)};
}

// Whether a transaction waits for a block: of this process, or of another one on the same store.
Result<bool> is_waiting(StoreTransaction& store, const ChainName& name)
{
    const auto outbox = store.outbox(name);
    if (!outbox) return outbox.error();
    return std::ranges::find(*outbox, OutboxState::sent, &OutboxRow::state) != outbox->end();
}

Result<void> apply(StoreTransaction& store, const ChainName& name, const ChainChange& change)
{
    if (change.sent) {
        const auto waiting = is_waiting(store, name);
        if (!waiting) return waiting.error();
        if (*waiting) return Error{.code = Errc::conflict, .where = "outbox"};
    }
    const auto before = row_of(store, name);
    if (!before) return before.error();
    ChainRow row = before->value_or(ChainRow{.name = name});
    // Another process may have found out more meanwhile.
    if (change.final_entries)
        row.final_entries = std::max(row.final_entries, *change.final_entries);
    if (const auto put = store.put_chain(row); !put) return put;
    if (change.sent)
        if (const auto put = store.insert_outbox(name, *change.sent); !put) return put;
    for (const auto& changed : change.changed)
        if (const auto put = store.update_outbox(name, changed); !put) return put;
    for (const auto nonce : change.dropped)
        if (const auto dropped = store.drop_outbox(name, nonce); !dropped) return dropped;
    return {};
}

}  // namespace

Result<Digest> Platform::ledger_root(std::uint64_t size)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Digest> {
        const auto count = store.entry_count();
        if (!count) return count.error();
        if (size > *count) return Error{.code = Errc::unknown_operation, .where = "ledger"};
        return LedgerTree(store).root(size);
    });
}

Result<ChainStanding> Platform::chain(const ChainName& name)
{
    return reading(mutex_, *store_,
                   [&](StoreTransaction& store) { return standing_of(store, name); });
}

Result<void> Platform::update_chain(const ChainName& name, const ChainChange& change)
{
    return writing(mutex_, *store_,
                   [&](StoreTransaction& store) { return apply(store, name, change); });
}

}  // namespace tallycard
