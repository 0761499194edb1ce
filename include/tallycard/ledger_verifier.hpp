// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <tallycard/account_order.hpp>
#include <tallycard/checkpoint.hpp>
#include <tallycard/entry.hpp>
#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/result.hpp>
#include <tallycard/witness_policy.hpp>

// The auditor. Amounts are in minor units; lines are those of the file, from 1. Value types.
namespace tallycard {

// The first thing in an exported ledger that is not as it must be.
struct LedgerFault {
    std::uint64_t line = 0;
    std::optional<CardId> card{};        // where it is about one
    std::uint32_t sequence = 0;          // likewise
    std::optional<AccountId> account{};  // of an order: the account, or the terminal
    std::string what{};                  // "the card's signature does not verify"
};

// What an auditor wants of witnesses.
struct WitnessDemand {
    WitnessPolicy policy;
    std::uint64_t most_unwitnessed = 0;  // entries behind the cosigned checkpoint
};

// The first entries of a ledger, which witnesses have seen.
struct Witnessed {
    std::uint64_t entries = 0;
    std::vector<WitnessPolicy::Cosignature> cosignatures;  // by the demand's policy
};

// Results of a card that never came, or came late.
struct LedgerGap {
    std::uint64_t line = 0;
    CardId card;
    std::uint32_t first = 0, last = 0;  // sequences
    std::int64_t moved = 0;             // from the card to account/unaccounted
    std::int64_t left = 0;              // of that, with what came late
    std::uint32_t settled_late = 0;     // results
};

// A transfer in that came after it was written off: posted from outside/losses.
struct LedgerWriteOff {
    std::uint64_t line = 0;  // of the transfer
    CardId card;
    AccountId account;  // that did not pay for it
    std::int64_t amount = 0;
};

// An unclaimed account that was opened: the issuer alone says by whom.
struct LedgerClaim {
    std::uint64_t line = 0;
    Time time;
    AccountId account;
    std::int64_t amount = 0;
};

// An act of the issuer without an owner's word: kinds 26, 27, 29, 2A and 2B.
struct LedgerIssuerAct {
    std::uint64_t line = 0;
    Time time;
    OrderKind kind = OrderKind::adjust;
    AccountId account;
    std::int64_t amount = 0;
    std::optional<AccountId> other{};
    Reference reference;
};

// Entries of one kind. A sum that would leave 64 bits is cut at their end.
struct LedgerKind {
    std::uint64_t count = 0;
    std::int64_t sum = 0;  // what cards, or the orders' accounts, got; below zero: gave
};

// The findings of verify_ledger().
struct LedgerReport {
    // How much was checked before it stopped.
    std::uint64_t cards = 0, entries = 0, accounts = 0;
    Checkpoint checkpoint;
    std::optional<Witnessed> witnessed{};  // where it was demanded, and is so
    std::optional<LedgerFault> fault{};    // absent: everything is right

    // The rest is there only where there is no fault.
    std::optional<Time> from{}, to{};    // of the first and the last entry
    std::int64_t on_cards = 0;           // sum of the cards' balances
    std::int64_t recovered = 0;          // of that, from lost cards: their books are less by it
    std::int64_t in_accounts = 0;        // sum of the associated accounts, unaccounted with them
    std::int64_t cash = 0, outside = 0;  // sums; all books together are zero
    std::int64_t unaccounted = 0;        // what gaps have left
    std::map<CardId, std::int64_t> losses{};  // lost cards: by how much the book is below zero
    std::vector<LedgerWriteOff> written_off{};
    std::vector<CardId> denied{};  // by id
    std::vector<LedgerGap> gaps{};
    std::map<AccountId, std::int64_t> unclaimed{};
    std::vector<LedgerClaim> claims{};
    std::vector<LedgerIssuerAct> without_the_owner{};
    std::map<std::string, LedgerKind> kinds{};  // "top-up", "pay in", "gap"
};

// Checks an exported ledger with public keys alone (docs/accounts.md, section 7): derives every
// card's key again; every signature, of cards, owners and the issuer; sequence, chain, balance and
// state of cards, gaps and late results; numbers, states and balances of accounts; time; the Merkle
// root against the signed checkpoint; every standing and account against what the entries say of
// it; the deny list; the sum of the books. The export's own keys are not believed: `issuer` is what
// the auditor has pinned. Where `known` is given, an earlier checkpoint, the ledger must continue
// it. Where `witnesses` is given, the export must hold a checkpoint that they cosigned, and
// continue that by so many entries at most.
//
// Reads line by line; memory grows with cards, accounts, orders and gaps, not with results.
// `threads` check keys and signatures: 0 stands for as many as there are processors, 1 for the
// caller's alone. The findings do not depend on it. None of the others is left when this returns
// or throws. An Error only when the file cannot be read.
TALLYCARD_EXPORT Result<LedgerReport> verify_ledger(
    const std::string& path, const IssuerDescription& issuer,
    const std::optional<Checkpoint>& known = std::nullopt,
    const std::optional<WitnessDemand>& witnesses = std::nullopt, unsigned threads = 0);

}  // namespace tallycard
