// SPDX-License-Identifier: Apache-2.0
// What of an exported ledger needs operations on the curve: by several threads, in batches. No
// answer of it is needed for anything else in the ledger but a card's key, so that it may come
// later; the first fault is still the first in the order of the lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include <tallycard/entry.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/ledger_verifier.hpp>

#include "ordered_work.hpp"

namespace tallycard {

// What is wrong, as a literal; null: nothing.
using Objection = const char*;

// Whose word counts for an account: the key in force, and that which it replaced.
struct OwnerKeys {
    PublicKey key;
    std::optional<PublicKey> replaced{};
};

// One line's share. Keys are as they were at that line.
struct LedgerCheck {
    // Works out a card's key, and writes it where it belongs.
    struct Key {
        CardId card;
        Certificate certificate;
        PublicKey* card_key = nullptr;
    };
    // Of a record.
    struct Signatures {
        Record record;
        PublicKey card_key, operation_key;
        std::optional<OwnerKeys> owner{};  // there where the record has a consent
    };
    // Of an account order, under the one key that counts where the owner signs.
    struct Order {
        AccountRecord record;
        std::optional<PublicKey> owner_key{};
    };

    std::uint64_t line = 0;
    std::variant<Key, Signatures, Order, Gap> what;
};

class LedgerChecks {
public:
    // `issuer` outlives this.
    LedgerChecks(const IssuerDescription& issuer, unsigned threads);
    LedgerChecks(const LedgerChecks&) = delete;
    LedgerChecks& operator=(const LedgerChecks&) = delete;
    ~LedgerChecks();

    // With one thread it is made at once; else fault() tells some time later. Throws what making
    // it threw, std::bad_alloc, in whichever thread.
    void add(const LedgerCheck& check);
    // Waits for all that were added.
    void finish();
    // The first of those that are known: no other comes before it.
    const std::optional<LedgerFault>& fault() const { return fault_; }

private:
    class Batch;
    bool take_batch();  // whether there was one

    const IssuerDescription* issuer_;
    const std::size_t batch_size_;
    OrderedWork work_;
    std::unique_ptr<Batch> filling_;
    std::optional<LedgerFault> fault_;
};

}  // namespace tallycard
