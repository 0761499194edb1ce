// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
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
};

// A receipt to settle, and its operation where the platform may not know it.
struct Submission {
    Receipt receipt;
    std::optional<ExecutedOperation> executed;
};

// A call that can be made together with others, and its answer: settle(), authorise() or
// authorise_transfer().
using Order = std::variant<Submission, OperationRequest, TransferRequest>;
using OrderAnswer = std::variant<Result<Settlement>, Result<OperationStatus>>;

// An entry of the ledger, and the way from it to the root of the tree with `head.size` entries.
struct InclusionProof {
    std::uint64_t index = 0;
    Record record;
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
    Result<Settlement> settle(const Receipt& receipt,
                              const std::optional<ExecutedOperation>& executed) override;

    // In order, in one durable transaction. Each has an answer of its own; an error of the whole
    // means that none has settled.
    Result<std::vector<Result<Settlement>>> settle_all(std::span<const Submission> submissions);
    // The same for calls of several kinds: an error of the whole means that none has happened.
    Result<std::vector<OrderAnswer>> do_all(std::span<const Order> orders);
    // Opening an account that is open changes nothing.
    Result<void> open_account(const AccountId& account);
    Result<void> deny(const CardId& card_id);
    // Errc::evidence: a proven clone stays denied. An issuer's operation that the store does not
    // know proves nothing where the store may have forgotten it: that the operator may take back.
    Result<void> undeny(const CardId& card_id);

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

    // The ledger: one record for each settled operation, in the order of settlement.
    Result<merkle::Head> ledger_head();
    Result<std::optional<Record>> record(std::uint64_t index);
    Result<std::vector<Record>> records(std::uint64_t from, std::size_t limit);
    // In the tree that the ledger is now. Errc::unknown_operation when there is no such record.
    Result<InclusionProof> prove(std::uint64_t index);
    Result<InclusionProof> prove(const CardId& card_id, std::uint32_t sequence);
    // Hashes of complete subtrees of 2^level entries each, `count` at most, from number `from`.
    Result<std::vector<Digest>> subtrees(unsigned level, std::uint64_t from, std::size_t count);
    // From the tree with `earlier` entries, at least one, to the one that it is now, or that it was
    // with `later` entries.
    Result<std::vector<Digest>> prove_consistency(
        std::uint64_t earlier, std::optional<std::uint64_t> later = std::nullopt);
    // Of the first `size` records. Errc::unknown_operation when there are fewer.
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

    std::mutex mutex_;
    std::unique_ptr<Store> store_;
    PlatformSettings settings_;
};

}  // namespace tallycard
