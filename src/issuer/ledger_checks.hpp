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

#include <tallycard/issuer_description.hpp>
#include <tallycard/ledger_verifier.hpp>
#include <tallycard/record.hpp>

#include "ordered_work.hpp"

namespace tallycard {

// What is wrong, as a literal; null: nothing.
using Objection = const char*;

// One line's share.
struct LedgerCheck {
    // Works out a card's key, and writes it where it belongs.
    struct Key {
        PublicKey card_root;
        Certificate certificate;
        PublicKey* card_key;
    };
    // Of a record, under keys that are as they were at that line.
    struct Signatures {
        Record record;
        PublicKey card_key, operation_key;
    };

    std::uint64_t line = 0;
    CardId card;
    std::uint32_t sequence = 0;
    std::variant<Key, Signatures> what;
};

class LedgerChecks {
public:
    explicit LedgerChecks(unsigned threads);
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

    const std::size_t batch_size_;
    OrderedWork work_;
    std::unique_ptr<Batch> filling_;
    std::optional<LedgerFault> fault_;
};

}  // namespace tallycard
