// SPDX-License-Identifier: Apache-2.0
#include <tallycard/platform.hpp>

#include "files.hpp"
#include "ledger_export.hpp"
#include "ledger_tree.hpp"
#include "platform_transaction.hpp"

namespace tallycard {
namespace {

Result<merkle::Head> head_of(StoreTransaction& store)
{
    const auto size = store.record_count();
    if (!size) return size.error();
    const auto root = LedgerTree(store).root(*size);
    if (!root) return root.error();
    return merkle::Head{.size = *size, .root = *root};
}

Result<InclusionProof> proof_of(StoreTransaction& store, std::uint64_t index)
{
    const auto head = head_of(store);
    if (!head) return head.error();
    const auto record = store.record(index);
    if (!record) return record.error();
    if (!*record) return Error{.code = Errc::unknown_operation, .where = "ledger"};
    const auto path = LedgerTree(store).inclusion(index, head->size);
    if (!path) return path.error();
    return InclusionProof{.index = index, .record = **record, .path = *path, .head = *head};
}

}  // namespace

Result<merkle::Head> Platform::ledger_head()
{
    return reading(mutex_, *store_, [](StoreTransaction& store) { return head_of(store); });
}

Result<std::optional<Record>> Platform::record(std::uint64_t index)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) { return store.record(index); });
}

Result<std::vector<Record>> Platform::records(std::uint64_t from, std::size_t limit)
{
    using Records = std::vector<Record>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Records> {
        Records records;
        while (records.size() < limit) {
            const auto record = store.record(from + records.size());
            if (!record) return record.error();
            if (!*record) break;
            records.push_back(**record);
        }
        return records;
    });
}

Result<InclusionProof> Platform::prove(std::uint64_t index)
{
    return reading(mutex_, *store_,
                   [&](StoreTransaction& store) { return proof_of(store, index); });
}

Result<InclusionProof> Platform::prove(const CardId& card_id, std::uint32_t sequence)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<InclusionProof> {
        const auto index = store.record_index(card_id, sequence);
        if (!index) return index.error();
        if (!*index) return Error{.code = Errc::unknown_operation, .where = "ledger"};
        return proof_of(store, **index);
    });
}

Result<std::vector<Digest>> Platform::prove_consistency(std::uint64_t earlier)
{
    using Path = std::vector<Digest>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Path> {
        const auto size = store.record_count();
        if (!size) return size.error();
        if (earlier > *size) return Error{.code = Errc::unknown_operation, .where = "ledger"};
        return LedgerTree(store).consistency(earlier, *size);
    });
}

// Durable in the store first, then outside, then shown: what was shown is never ahead of what a
// crash leaves behind.
Result<std::string> Platform::checkpoint(const CheckpointKey& key)
{
    if (key.public_key() != settings_.issuer.checkpoint_key)
        return Error{.code = Errc::conflict, .where = "checkpoint key"};
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<std::string> {
        const auto head = head_of(store);
        if (!head) return head.error();
        auto note = Checkpoint{.origin = settings_.issuer.origin, .head = *head}.sign(key);
        if (const auto put = store.put_checkpoint(note); !put) return put.error();
        return note;
    }).and_then([&](std::string note) -> Result<std::string> {
        if (settings_.checkpoint_file.empty()) return note;
        if (const auto put = files::replace(settings_.checkpoint_file, note); !put)
            return put.error();
        return note;
    });
}

Result<Checkpoint> Platform::export_ledger(const std::string& path, const CheckpointKey& key)
{
    const auto note = checkpoint(key);
    if (!note) return note.error();
    const auto& issuer = settings_.issuer;
    const auto known = Checkpoint::open(*note, issuer.origin, issuer.checkpoint_key);
    if (!known) return known.error();
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Checkpoint> {
        const auto done = write_export(path, store, issuer, *note, key);
        if (!done) return done.error();
        return *known;
    });
}

}  // namespace tallycard
