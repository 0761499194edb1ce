// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <tallycard/card_registry.hpp>
#include <tallycard/checkpoint.hpp>
#include <tallycard/export.hpp>
#include <tallycard/issuer_client.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/signer.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

struct PlatformSettings {
    IssuerDescription issuer;
    // One for each operation key that is still in a card; new cards get issuer.operation_keys[0].
    // None: a platform that settles and shows, and signs nothing.
    std::vector<std::shared_ptr<OperationSigner>> signers;
    // The newest checkpoint outside the store, read when opening and written by checkpoint();
    // empty: none. Keep it where a restored backup of the store does not bring back an old one.
    std::string checkpoint_file;
    // The time; empty: the system's clock.
    std::function<Time()> clock{};
    // For as long after a card was declared lost, what it may still spend offline is not recovered.
    std::chrono::milliseconds quarantine = std::chrono::days(30);
    // When the first of a card's kept payments is older, what is missing in front of it becomes a
    // gap. Of a denied card it does at once.
    std::chrono::milliseconds gap_after = std::chrono::days(30);
    // Where the clock is further ahead of the ledger's last entry, nothing is written.
    std::chrono::milliseconds longest_silence = std::chrono::days(400);
};

// The parts of a lost card's book, as it can be recovered now, in minor units.
struct Recoverable {
    std::int64_t book = 0;       // balance last settled, less what was recovered before
    std::int64_t kept = 0;       // of it, spent by payments that are kept
    std::int64_t held_back = 0;  // of the rest, what the card may still spend offline
    std::int64_t free = 0;       // the rest
    Time held_until{};           // when the quarantine ends; 1970 where nothing is held back
};

// A call that can be made together with others, and its answer: settle(), authorise() or
// authorise_transfer().
using Order = std::variant<Submission, OperationRequest, TransferRequest>;
using OrderAnswer = std::variant<Result<Settlement>, Result<OperationStatus>>;

// The deny list behind what a till has of it.
struct DenyListUpdate {
    std::vector<DenyListLine> lines;
    std::string note;  // DenyListHead::open() reads it
};

// Entries to look for. All that is there has to fit.
struct StatementQuery {
    std::optional<AccountName> account{};   // of a card: card_account()
    std::optional<AccountId> terminal{};    // that delivered it
    std::optional<Time> since{}, until{};   // until: not any more
    std::string kind{};                     // "payment", "pay out", "gap"; empty: any
    std::optional<Amount> least{}, most{};  // of its size
    std::uint64_t from = 0;                 // number of the first entry to look at
    std::size_t limit = 100;
};

struct StatementPage {
    std::vector<LedgerRow> rows;
    std::optional<std::uint64_t> next{};  // StatementQuery::from of what may follow
};

// An entry of the ledger, and the way from it to the root of the tree with `head.size` entries.
struct InclusionProof {
    std::uint64_t index = 0;
    Entry entry;
    std::vector<Digest> path;
    merkle::Head head;
};

// The issuer's platform: knows the cards, signs operations, settles what comes back, keeps the
// books and the ledger (docs/protocol.md, section 8). What it answers is durable.
//
// Thread-safe: one mutex, one call at a time; other processes may have the same store open. Settle
// many receipts at once for throughput: settle_all() and do_all() pay for one durable write.
class TALLYCARD_EXPORT Platform final : public IssuerClient, public CardRegistry {
public:
    // A store that was empty becomes this issuer's. Errc::conflict when it is another issuer's;
    // Errc::ledger_behind when its ledger is not a continuation of a checkpoint that is known;
    // Errc::file_damaged when the books do not sum up to zero.
    static Result<std::unique_ptr<Platform>> open(std::unique_ptr<Store> store,
                                                  PlatformSettings settings);
    ~Platform() override;

    const IssuerDescription& issuer() const { return settings_.issuer; }
    // IssuerClient. A denied card's results still settle where they continue its chain, since the
    // value has moved; it only gets no new operation, but a void of what is pending.
    Result<CardStanding> standing(const CardId& card_id,
                                  const std::optional<AccountId>& terminal) override;
    Result<OperationStatus> authorise(const OperationRequest& request) override;
    Result<OperationStatus> authorise_transfer(const TransferRequest& request) override;
    Result<OperationStatus> status(const OperationId& id,
                                   const std::optional<AccountId>& terminal) override;
    Result<FirstInstruction> void_pending(const CardId& card_id) override;
    // Errc::unsettled for a result that is further ahead than a card's log reaches: 16.
    Result<Settlement> settle(const Submission& submission) override;
    Result<AccountStanding> account_standing(const AccountId& account) override;
    Result<ExecutedOrder> execute(const SignedOrder& order) override;

    // In order, in one durable transaction. Each has an answer of its own; an error of the whole
    // means that none has settled.
    Result<std::vector<Result<Settlement>>> settle_all(std::span<const Submission> submissions);
    // The same for calls of several kinds: an error of the whole means that none has happened.
    Result<std::vector<OrderAnswer>> do_all(std::span<const Order> orders);
    // The kept payments of a denied card settle at once.
    Result<void> deny(const CardId& card_id);
    // Errc::evidence: a proven clone stays denied. An issuer's operation that the store does not
    // know proves nothing where the store may have forgotten it: that the operator may take back.
    // Errc::card_state for a card that value was recovered from, or written off.
    Result<void> undeny(const CardId& card_id);
    // Denies the card, and begins its quarantine.
    Result<void> declare_lost(const CardId& card_id);
    Result<Recoverable> recoverable(const CardId& card_id);
    // Makes gaps where the time for it has come; how many.
    Result<std::size_t> close_gaps();
    Result<std::vector<KeptRow>> kept(const CardId& card_id);
    Result<std::size_t> kept_count();  // of all cards
    Result<std::vector<CardId>> cards_with_kept(const std::optional<CardId>& after,
                                                std::size_t limit);
    Result<std::vector<GapRow>> gaps(const CardId& card_id);
    // The deny list from line number `from` on, and what the issuer says of the whole of it now.
    Result<DenyListUpdate> deny_list(std::uint64_t from, const CheckpointKey& key);

    // CardRegistry.
    Result<IssuerDescription> description() override { return settings_.issuer; }
    Result<void> register_card(const NewCard& card) override;
    Result<void> confirm_card(const CardId& card_id) override;
    Result<std::optional<RegisteredCard>> card_of_transport_key(const Digest& digest) override;
    Result<std::vector<AccountRow>> accounts();  // cash and associated
    Result<std::vector<CardRow>> cards();
    // By names and ids, `limit` at most, those behind `after`.
    Result<std::vector<AccountRow>> accounts(const std::optional<AccountName>& after,
                                             std::size_t limit);
    Result<std::vector<CardRow>> cards(const std::optional<CardId>& after, std::size_t limit);
    Result<std::optional<CardRow>> card(const CardId& card_id);
    Result<std::vector<FirstInstruction>> pending();  // by card and sequence, voids after
    Result<std::vector<EvidenceRow>> evidence();
    // Settled operations that the store had forgotten to have signed: above zero, it was restored
    // from a copy, or lost what it had answered as durable. An alarm.
    Result<std::uint64_t> restored();
    Result<std::optional<AccountRow>> account(const AccountName& name);

    // The ledger: one entry for each settled operation, order and gap, in the order of settlement.
    Result<merkle::Head> ledger_head();
    Result<std::optional<Entry>> entry(std::uint64_t index);
    Result<std::vector<Entry>> entries(std::uint64_t from, std::size_t limit);
    // In order. One call looks at so many entries at most, whatever the size of the ledger: a page
    // may be short, also empty, where more follows.
    Result<StatementPage> statement(const StatementQuery& query);
    // The balance of an account, not a card, just before that time.
    Result<std::int64_t> balance_at(const AccountName& account, Time time);
    // In the tree that the ledger is now. Errc::unknown_operation when there is no such entry.
    Result<InclusionProof> prove(std::uint64_t index);
    Result<InclusionProof> prove(const CardId& card_id, std::uint32_t sequence);
    // Hashes of complete subtrees of 2^level entries each, `count` at most, from number `from`.
    Result<std::vector<Digest>> subtrees(unsigned level, std::uint64_t from, std::size_t count);
    // From the tree with `earlier` entries, at least one, to the one that it is now, or that it was
    // with `later` entries.
    Result<std::vector<Digest>> prove_consistency(
        std::uint64_t earlier, std::optional<std::uint64_t> later = std::nullopt);
    // Of the first `size` entries. Errc::unknown_operation when there are fewer.
    Result<Digest> ledger_root(std::uint64_t size);
    // A signed note on the ledger as it is now: stored, written to the checkpoint file, returned.
    Result<std::string> checkpoint(const CheckpointKey& key);
    // Everything an auditor needs, as of one moment; written whole or not at all. Only this
    // object's callers wait. `cosigned`: a checkpoint that witnesses have cosigned, empty for none;
    // Errc::ledger_behind when the ledger does not continue it.
    Result<Checkpoint> export_ledger(const std::string& path, const CheckpointKey& key,
                                     const std::string& cosigned = {});

    // The ledger on chains, for what writes it there. Errc::conflict when a nonce is taken.
    Result<ChainStanding> chain(const ChainName& name);
    Result<void> update_chain(const ChainName& name, const ChainChange& change);

private:
    Platform(std::unique_ptr<Store> store, PlatformSettings settings);
    Result<void> start();
    Result<void> check(StoreTransaction& store) const;
    Result<void> publish(const std::string& note);
    Time now() const;

    std::mutex mutex_;
    std::unique_ptr<Store> store_;
    PlatformSettings settings_;
};

}  // namespace tallycard
