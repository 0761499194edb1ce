// SPDX-License-Identifier: Apache-2.0
// The exported ledger: lines of text, in this order, every name and number in its one form.
//
//     tallycard-ledger 1
//     (the issuer's description: its lines)
//     cosigned                                           and its note: where there is one
//     (a signed note: a checkpoint that the records continue, by the issuer and by witnesses)
//     card ID CERTIFICATE FIRST-OPERATION-KEY            by id, every card
//     record HEX                                         in the order of settlement
//     checkpoint
//     (a signed note of four lines and an empty one: the checkpoint on these records)
//     standing ID SEQUENCE BALANCE STATE OPERATION-KEY   by id, every card
//     account cash|associated NAME BALANCE               cash first, by name
//     end
//     (a signed note: "tallycard export", and the SHA-256 of every byte before it)
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
    std::string checkpoint;  // on all records
    std::string cosigned;    // on the first of them; empty: none
};

// Writes what the transaction sees.
Result<void> write_export(files::Replacement& file, StoreTransaction& store,
                          const IssuerDescription& issuer, const ExportNotes& notes,
                          const CheckpointKey& key);

// What the note at the end says.
std::string export_statement(const Digest& of_everything_before);

const char* export_word(AccountKind kind) noexcept;  // "cash", "associated"

}  // namespace tallycard
