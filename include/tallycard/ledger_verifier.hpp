// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/checkpoint.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/result.hpp>
#include <tallycard/witness_policy.hpp>

namespace tallycard {

// The first thing in an exported ledger that is not as it must be.
struct LedgerFault {
    std::uint64_t line = 0;      // of the file, from 1
    std::optional<CardId> card;  // where it is about one
    std::uint32_t sequence = 0;  // likewise
    std::string what;            // "the card's signature does not verify"
};

// What an auditor wants of witnesses.
struct WitnessDemand {
    WitnessPolicy policy;
    std::uint64_t most_unwitnessed = 0;  // records behind the cosigned checkpoint
};

// The first records of a ledger, which witnesses have seen.
struct Witnessed {
    std::uint64_t records = 0;
    std::vector<WitnessPolicy::Cosignature> cosignatures;  // by the demand's policy
};

// What verify_ledger() found. The numbers count what was checked before it stopped.
struct LedgerReport {
    std::uint64_t cards = 0, records = 0, accounts = 0;
    std::int64_t on_cards = 0;     // sum of the cards' balances, minor units
    std::int64_t in_accounts = 0;  // sum of the associated accounts
    std::int64_t cash = 0;         // sum of the terminals' cash: minus what was issued
    Checkpoint checkpoint;
    std::optional<Witnessed> witnessed;  // where it was demanded, and is so
    std::optional<LedgerFault> fault;    // absent: everything is right
};

// Checks an exported ledger with public keys alone: derives every card's key again; every
// signature, sequence, chain, balance and state; the Merkle root against the signed checkpoint; the
// sum of the books, and every account against what the records say of it. The export's own keys are
// not believed: `issuer` is what the auditor has pinned. Where `known` is given, an earlier
// checkpoint, the ledger must continue it. Where `witnesses` is given, the export must hold a
// checkpoint that they cosigned, and continue that by so many records at most.
//
// Reads line by line; memory grows with cards and accounts, not with records. `threads` check keys
// and signatures: 0 stands for as many as there are processors, 1 for the caller's alone. What is
// found does not depend on it. None of the others is left when this returns or throws. An Error
// only when the file cannot be read.
TALLYCARD_EXPORT Result<LedgerReport> verify_ledger(
    const std::string& path, const IssuerDescription& issuer,
    const std::optional<Checkpoint>& known = std::nullopt,
    const std::optional<WitnessDemand>& witnesses = std::nullopt, unsigned threads = 0);

}  // namespace tallycard
