// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/merkle.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// What a store holds. Two that are equal hold the same, to the byte.
struct StoreSummary {
    merkle::Head head;  // of the tree made anew from the entries
    Digest rows;        // SHA-256 over every row, in its order
    std::uint64_t cards = 0, operations = 0, accounts = 0, kept = 0, evidence = 0;
    friend bool operator==(const StoreSummary&, const StoreSummary&) = default;
};

// Reads all of it. Errc::file_damaged where the tree that is stored is not the one that its entries
// make, or the books do not sum up to zero.
TALLYCARD_EXPORT Result<StoreSummary> summarise(StoreTransaction& store);

// Copies everything into a store that is empty (Errc::conflict where it is not), in one
// transaction, and commits it only when the copy's summary is the original's. Nobody writes to
// either meanwhile. From then on only one of the two may be used: two stores that both go on sign
// the same sequences of a card.
TALLYCARD_EXPORT Result<StoreSummary> copy_store(Store& from, Store& to);

}  // namespace tallycard
