// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <tallycard/platform.hpp>

#include "files.hpp"
#include "ledger_export.hpp"
#include "ledger_tree.hpp"
#include "platform_transaction.hpp"
#include "signed_note.hpp"

namespace tallycard {
namespace {

constexpr std::size_t longest_signature = 8 + Signature::size;

Result<merkle::Head> head_of(StoreTransaction& store)
{
    const auto size = store.entry_count();
    if (!size) return size.error();
    const auto root = LedgerTree(store).root(*size);
    if (!root) return root.error();
    return merkle::Head{.size = *size, .root = *root};
}

Result<InclusionProof> proof_of(StoreTransaction& store, std::uint64_t index)
{
    const auto head = head_of(store);
    if (!head) return head.error();
    const auto entry = store.entry(index);
    if (!entry) return entry.error();
    if (!*entry) return Error{.code = Errc::unknown_operation, .where = "ledger"};
    const auto path = LedgerTree(store).inclusion(index, head->size);
    if (!path) return path.error();
    return InclusionProof{.index = index, .entry = **entry, .path = *path, .head = *head};
}

Result<std::vector<Digest>> consistency_of(StoreTransaction& store, std::uint64_t earlier,
                                           std::uint64_t later)
{
    const auto size = store.entry_count();
    if (!size) return size.error();
    if (earlier == 0 || earlier > later || later > *size)
        return Error{.code = Errc::unknown_operation, .where = "ledger"};
    return LedgerTree(store).consistency(earlier, later);
}

}  // namespace

Result<merkle::Head> Platform::ledger_head()
{
    return reading(mutex_, *store_, [](StoreTransaction& store) { return head_of(store); });
}

Result<std::optional<Entry>> Platform::entry(std::uint64_t index)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) { return store.entry(index); });
}

Result<std::vector<Entry>> Platform::entries(std::uint64_t from, std::size_t limit)
{
    using Entries = std::vector<Entry>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Entries> {
        Entries entries;
        while (entries.size() < limit) {
            const auto entry = store.entry(from + entries.size());
            if (!entry) return entry.error();
            if (!*entry) break;
            entries.push_back(**entry);
        }
        return entries;
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

Result<std::vector<Digest>> Platform::subtrees(unsigned level, std::uint64_t from,
                                               std::size_t count)
{
    using Hashes = std::vector<Digest>;
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<Hashes> {
        Hashes hashes;
        const auto size = store.entry_count();
        if (!size) return size.error();
        const auto complete = level < 64 ? *size >> level : 0;
        for (auto index = from; index < complete && hashes.size() < count; ++index) {
            const auto hash = store.node(level, index);
            if (!hash) return hash.error();
            hashes.push_back(*hash);
        }
        return hashes;
    });
}

Result<std::vector<Digest>> Platform::prove_consistency(std::uint64_t earlier,
                                                        std::optional<std::uint64_t> later)
{
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<std::vector<Digest>> {
        const auto size = later ? Result<std::uint64_t>(*later) : store.entry_count();
        if (!size) return size.error();
        return consistency_of(store, earlier, *size);
    });
}

namespace {

struct SignedCheckpoint {
    Checkpoint checkpoint;
    std::string note;
};

// What of a note that others signed goes into an export of the ledger, which has to continue it:
// the issuer's signature and Ed25519 cosignatures.
Result<std::string> cosigned_for_export(StoreTransaction& store, const IssuerDescription& issuer,
                                        const std::string& note)
{
    if (note.empty()) return std::string();
    const auto cosigned = Checkpoint::open_cosigned(note, issuer.origin, issuer.checkpoint_key);
    if (!cosigned) return Error{.code = cosigned.error().code, .where = "cosigned checkpoint"};
    const auto size = store.entry_count();
    if (!size) return size.error();
    const auto known = std::min(cosigned->head.size, *size);
    const auto root = LedgerTree(store).root(known);
    if (!root) return root.error();
    if (merkle::Head{known, *root} != cosigned->head)
        return Error{.code = Errc::ledger_behind, .where = "cosigned checkpoint"};

    const auto parsed = SignedNote::parse(note);
    if (!parsed) return parsed.error();
    std::string kept(parsed->text);
    kept += '\n';
    for (const auto& signature : parsed->signatures)
        if (signature.signature.size() <= longest_signature) kept += signature.line;
    return kept;
}

// A note on the ledger as it is.
Result<SignedCheckpoint> sign_checkpoint(StoreTransaction& store, const IssuerDescription& issuer,
                                         const CheckpointKey& key)
{
    if (key.public_key() != issuer.checkpoint_key)
        return Error{.code = Errc::conflict, .where = "checkpoint key"};
    const auto head = head_of(store);
    if (!head) return head.error();
    const Checkpoint checkpoint{.origin = issuer.origin, .head = *head};
    const auto note = checkpoint.sign(key);
    if (!note) return note.error();
    return SignedCheckpoint{checkpoint, *note};
}

// The same, stored with the transaction.
Result<SignedCheckpoint> make_checkpoint(StoreTransaction& store, const IssuerDescription& issuer,
                                         const CheckpointKey& key)
{
    auto made = sign_checkpoint(store, issuer, key);
    if (!made) return made;
    if (const auto put = store.put_checkpoint(made->note); !put) return put.error();
    return made;
}

// Stores one that was signed in an earlier transaction, where none is there that is newer.
Result<void> keep_checkpoint(StoreTransaction& store, const IssuerDescription& issuer,
                             const SignedCheckpoint& made)
{
    const auto& head = made.checkpoint.head;
    const auto size = store.entry_count();
    if (!size) return size.error();
    const auto root = LedgerTree(store).root(std::min(*size, head.size));
    if (!root) return root.error();
    if (*size < head.size || *root != head.root)
        return Error{.code = Errc::ledger_behind, .where = "export"};
    const auto newest = store.checkpoint();
    if (!newest) return newest.error();
    if (*newest) {
        const auto opened = Checkpoint::open(**newest, issuer.origin, issuer.checkpoint_key);
        if (!opened) return opened.error();
        if (opened->head.size >= head.size) return {};
    }
    return store.put_checkpoint(made.note);
}

}  // namespace

// Durable in the store first, then outside, then shown: what was shown is never ahead of what a
// crash leaves behind.
Result<void> Platform::publish(const std::string& note)
{
    if (settings_.checkpoint_file.empty()) return {};
    // Another process may have published a newer one since: the file never goes back. Holding the
    // store for writing keeps the others from doing so meanwhile.
    return writing(mutex_, *store_, [&](StoreTransaction& store) -> Result<void> {
        const auto newest = store.checkpoint();
        if (!newest) return newest.error();
        return files::replace(settings_.checkpoint_file, newest->value_or(note));
    });
}

Result<std::string> Platform::checkpoint(const CheckpointKey& key)
{
    const auto made = writing(mutex_, *store_, [&](StoreTransaction& store) {
        return make_checkpoint(store, settings_.issuer, key);
    });
    if (!made) return made.error();
    if (const auto published = publish(made->note); !published) return published.error();
    return made->note;
}

// Reads what one transaction sees, which keeps no other process from settling meanwhile.
Result<Checkpoint> Platform::export_ledger(const std::string& path, const CheckpointKey& key,
                                           const std::string& cosigned)
{
    std::optional<files::Replacement> file;
    const auto& issuer = settings_.issuer;
    const auto made =
        reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<SignedCheckpoint> {
            file.reset();
            auto begun = files::Replacement::begin(path);
            if (!begun) return begun.error();
            file.emplace(std::move(*begun));
            const auto witnessed = cosigned_for_export(store, issuer, cosigned);
            if (!witnessed) return witnessed.error();
            auto signed_one = sign_checkpoint(store, issuer, key);
            if (!signed_one) return signed_one;
            const auto done =
                write_export(*file, store, issuer,
                             {.checkpoint = signed_one->note, .cosigned = *witnessed}, key, now());
            if (!done) return done.error();
            return signed_one;
        });
    if (!made) return made.error();
    const auto kept = writing(mutex_, *store_, [&](StoreTransaction& store) {
        return keep_checkpoint(store, issuer, *made);
    });
    if (!kept) return kept.error();
    if (const auto published = publish(made->note); !published) return published.error();
    if (const auto placed = file->commit(); !placed) return placed.error();
    return made->checkpoint;
}

Result<DenyListUpdate> Platform::deny_list(std::uint64_t from, const CheckpointKey& key)
{
    if (key.public_key() != settings_.issuer.checkpoint_key)
        return Error{.code = Errc::conflict, .where = "checkpoint key"};
    return reading(mutex_, *store_, [&](StoreTransaction& store) -> Result<DenyListUpdate> {
        DenyListUpdate update;
        DenyList list;
        const auto read = for_each_denial(store, [&](const DenyListLine& line) -> Result<void> {
            if (list.lines() >= from) update.lines.push_back(line);
            return list.append(line) ? Result<void>() : damaged_deny_list();
        });
        if (!read) return read.error();
        const auto note = deny_list_head(list, settings_.issuer, now()).sign(key);
        if (!note) return note.error();
        update.note = *note;
        return update;
    });
}

}  // namespace tallycard
