// SPDX-License-Identifier: Apache-2.0
// The exported ledger: lines of text, in this order, every name and number in its one form.
//
//     tallycard-ledger 1
//     (the issuer's description: its lines)
//     cosigned                                           and its note: where there is one
//     (a signed note: a checkpoint that the entries continue, by the issuer and by witnesses)
//     card ID CERTIFICATE FIRST-OPERATION-KEY            by id, every card
//     entry HEX                                          in the order of settlement
//     checkpoint
//     (a signed note of three lines of text: the checkpoint on these entries)
//     standing ID SEQUENCE BALANCE STATE OPERATION-KEY   by id, every card
//     standing ... RECOVERED                             where that is above zero
//     account cash|associated|outside NAME BALANCE NUMBER KEY
//     deny-list
//     +CARD-ID                                           or -CARD-ID; as they were appended
//     (a signed note of four lines of text: DenyListHead)
//     end
//     (a signed note: "tallycard export", and the SHA-256 of every byte before it)
//
// STATE is `blank` for a card that is being issued. Accounts go by kind, in the order above, then
// by name: all that an entry names or moves. NUMBER is that of the last order, else 0; KEY is the
// account's where it is open, else `-`.
#pragma once

#include <string>
#include <string_view>

#include <tallycard/checkpoint.hpp>
#include <tallycard/issuer_description.hpp>
#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

#include "files.hpp"

namespace tallycard {

struct ExportNotes {
    std::string checkpoint;  // on all entries
    std::string cosigned;    // on the first of them; empty: none
};

// Writes what the transaction sees.
Result<void> write_export(files::Replacement& file, StoreTransaction& store,
                          const IssuerDescription& issuer, const ExportNotes& notes,
                          const CheckpointKey& key, Time now);

// The issuer's word on the deny list at `now`.
DenyListHead deny_list_head(const DenyList& list, const IssuerDescription& issuer, Time now);
Error damaged_deny_list();

// What the note at the end says.
std::string export_statement(const Digest& of_everything_before);

const char* export_word(AccountKind kind) noexcept;  // "cash", "associated", "outside"

}  // namespace tallycard
