// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/deny_list.hpp>
#include <tallycard/export.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store_rows.hpp>

namespace tallycard {

// One transaction of a Store: all of it happens, or nothing. It sees a state that no other
// transaction changes. Destroyed without commit(), it has done nothing. Not thread-safe.
//
// Any call fails with Errc::store_failed (the store did not work), Errc::file_damaged (what it
// holds is not what we wrote), and over a network with Errc::store_unreachable. Errc::store_busy,
// also from commit(): another transaction was first, this one has done nothing; all of it again may
// succeed. After a failure only destroying it makes sense.
class TALLYCARD_EXPORT StoreTransaction {
public:
    StoreTransaction() = default;
    StoreTransaction(const StoreTransaction&) = delete;
    StoreTransaction& operator=(const StoreTransaction&) = delete;
    virtual ~StoreTransaction();

    // Durable when this returns: it survives the loss of power.
    virtual Result<void> commit() = 0;

    virtual Result<std::optional<std::string>> issuer() = 0;  // as IssuerDescription::to_text()
    virtual Result<void> put_issuer(const std::string& text) = 0;

    virtual Result<std::optional<CardRow>> card(const CardId& card_id) = 0;
    virtual Result<std::optional<CardRow>> card_of_transport_key(const Digest& digest) = 0;
    // The sealed personalisation of a card that is being issued; an empty one takes it away.
    virtual Result<std::optional<SealedPersonalisation>> personalisation(const CardId& card_id) = 0;
    virtual Result<void> put_personalisation(const CardId& card_id,
                                             const SealedPersonalisation& sealed) = 0;
    virtual Result<void> insert_card(const CardRow& row) = 0;  // Errc::conflict when a key is taken
    virtual Result<void> update_card(const CardRow& row) = 0;  // keys stay as they are
    // In the order of their ids, `limit` at most, those after `after`.
    virtual Result<std::vector<CardRow>> cards(const std::optional<CardId>& after,
                                               std::size_t limit) = 0;

    virtual Result<std::optional<OperationRow>> operation(const OperationId& id) = 0;
    // At most three: what was asked for, the void beside it, and one that was restored.
    virtual Result<std::vector<OperationRow>> operations(const CardId& card_id,
                                                         std::uint32_t sequence) = 0;
    virtual Result<void> insert_operation(const OperationRow& row) = 0;
    virtual Result<std::uint64_t> restored_count() = 0;
    // Transfers in from this account, with its owner's consent, that no result has ended yet.
    virtual Result<std::vector<OperationRow>> consented(const AccountId& account) = 0;
    virtual Result<std::vector<OperationRow>> refunds(const PaymentName& payment) = 0;

    virtual Result<std::optional<AccountRow>> account(const AccountName& name) = 0;
    virtual Result<void> put_account(const AccountRow& row) = 0;
    // Cash first, associated ones, outside; each kind in the order of its ids; likewise.
    virtual Result<std::vector<AccountRow>> accounts(const std::optional<AccountName>& after,
                                                     std::size_t limit) = 0;

    // Of all cards, less what was recovered from them, and all other accounts: zero, always.
    virtual Result<std::int64_t> sum_of_books() = 0;
    // By what the accounts of cash and outside that are below zero are below it, reservations
    // counted in: no other value is on cards and accounts, or may come there. 2^63−1 where it is
    // more.
    virtual Result<std::int64_t> issued() = 0;

    virtual Result<LedgerEnd> ledger_end() = 0;
    Result<std::uint64_t> entry_count();
    virtual Result<std::optional<Entry>> entry(std::uint64_t index) = 0;
    // Of the record of a card's operation, also of a late one.
    virtual Result<std::optional<std::uint64_t>> record_index(const CardId& card_id,
                                                              std::uint32_t sequence) = 0;
    // Of the order that this account got with this id of its caller.
    virtual Result<std::optional<std::uint64_t>> order_index(const AccountName& account,
                                                             const OperationId& id) = 0;
    // `index` is entry_count(). The posting is absent where no value moved.
    virtual Result<void> append_entry(std::uint64_t index, const Entry& entry,
                                      const std::optional<Posting>& posting) = 0;
    virtual Result<std::optional<Posting>> posting(std::uint64_t index) = 0;
    // Numbers of entries from `from` on, `limit` at most, in their order: those that moved this
    // account's value or are its orders, of a card all that name it; or those that this terminal
    // delivered.
    virtual Result<std::vector<std::uint64_t>> entries_of(const AccountName& account,
                                                          std::uint64_t from,
                                                          std::size_t limit) = 0;
    virtual Result<std::vector<std::uint64_t>> entries_by(const AccountId& terminal,
                                                          std::uint64_t from,
                                                          std::size_t limit) = 0;
    // The last posting of this account in front of entry number `before`.
    virtual Result<std::optional<Posting>> last_posting(const AccountName& account,
                                                        std::uint64_t before) = 0;
    virtual Result<void> put_reference(std::uint64_t index, const Reference& reference) = 0;
    virtual Result<std::optional<Reference>> reference(std::uint64_t index) = 0;

    // Complete subtrees of the Merkle tree: entry `index` of `level`, level 0 being the leaves.
    virtual Result<Digest> node(unsigned level, std::uint64_t index) = 0;
    virtual Result<void> put_node(unsigned level, std::uint64_t index, const Digest& hash) = 0;

    virtual Result<void> keep(const KeptRow& row) = 0;  // once for one result
    virtual Result<std::vector<KeptRow>> kept(const CardId& card_id, std::uint32_t sequence) = 0;
    // By sequence.
    virtual Result<std::vector<KeptRow>> kept(const CardId& card_id) = 0;
    virtual Result<void> drop_kept(const CardId& card_id, std::uint32_t sequence) = 0;
    virtual Result<std::size_t> kept_count() = 0;
    // Cards that results are kept of, in the order of their ids, `limit` at most, behind `after`.
    virtual Result<std::vector<CardId>> cards_with_kept(const std::optional<CardId>& after,
                                                        std::size_t limit) = 0;

    virtual Result<void> insert_gap(const GapRow& row) = 0;
    virtual Result<void> update_gap(const GapRow& row) = 0;  // what is left; the rest stays
    virtual Result<std::vector<GapRow>> gaps(const CardId& card_id) = 0;  // by sequence

    // The lines of the deny list, from number `from` on.
    virtual Result<std::vector<DenyListLine>> deny_list(std::uint64_t from, std::size_t limit) = 0;
    virtual Result<void> append_denial(const DenyListLine& row) = 0;

    virtual Result<void> put_evidence(const EvidenceRow& row) = 0;  // once for one result
    virtual Result<std::vector<EvidenceRow>> evidence(std::size_t skip, std::size_t limit) = 0;
    virtual Result<std::vector<EvidenceRow>> evidence(const CardId& card_id) = 0;

    virtual Result<std::optional<std::string>> checkpoint() = 0;  // the newest, a signed note
    virtual Result<void> put_checkpoint(const std::string& note) = 0;

    // Where the ledger is written to, in the order of their names. Records wait there by being
    // above `final_entries`: append_entry() puts each into every outbox.
    virtual Result<std::vector<ChainRow>> chains() = 0;
    virtual Result<void> put_chain(const ChainRow& row) = 0;
    // What is under way, by nonce. The chain has a row; Errc::conflict when the nonce is taken.
    virtual Result<std::vector<OutboxRow>> outbox(const ChainName& name) = 0;
    virtual Result<void> insert_outbox(const ChainName& name, const OutboxRow& row) = 0;
    // State and block; the rest stays as it is. Errc::conflict when there is none.
    virtual Result<void> update_outbox(const ChainName& name, const OutboxRow& row) = 0;
    virtual Result<void> drop_outbox(const ChainName& name, std::uint64_t nonce) = 0;
};

// Where the platform keeps cards, operations, accounts and the ledger. A seam: SQLite, and
// PostgreSQL (postgres_store.hpp). Several processes may have one store open. Not thread-safe.
class TALLYCARD_EXPORT Store {
public:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store();

    // One at a time. A writing one waits for another process's to end; Errc::file_in_use when that
    // takes too long. Errc::store_older or store_newer for a store of another version.
    // After a commit that failed the next one of either kind first writes over what that may have
    // left: it fails for as long as nothing can be written.
    virtual Result<std::unique_ptr<StoreTransaction>> write() = 0;
    virtual Result<std::unique_ptr<StoreTransaction>> read() = 0;
};

enum class StoreCheck : std::uint8_t { quick, thorough };

// The store in one SQLite file (and its -wal and -shm beside it), mode 0600. `thorough` reads the
// whole file before it trusts it. Errc::file_missing, file_exists, file_damaged, store_newer,
// store_failed.
TALLYCARD_EXPORT Result<std::unique_ptr<Store>> create_sqlite_store(const std::string& path);
TALLYCARD_EXPORT Result<std::unique_ptr<Store>> open_sqlite_store(
    const std::string& path, StoreCheck check = StoreCheck::thorough);

// The store at a place as people write it: "postgresql://..." or "postgres:" and what libpq takes
// (where this was built with it), else the path of a SQLite file.
TALLYCARD_EXPORT Result<std::unique_ptr<Store>> create_store(const std::string& place);
TALLYCARD_EXPORT Result<std::unique_ptr<Store>> open_store(const std::string& place,
                                                           StoreCheck check = StoreCheck::thorough);
// After Errc::store_unreachable: why, in the words of the database's library, for people. Empty
// where it can be reached.
TALLYCARD_EXPORT std::string explain_store(const std::string& place);

}  // namespace tallycard
