// SPDX-License-Identifier: Apache-2.0
// Notes as C2SP signed-note has them, whoever signed them and however often. What our own
// checkpoints look like is stricter: Checkpoint::open().
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/fixed_bytes.hpp>
#include <tallycard/merkle.hpp>
#include <tallycard/note_key.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

inline constexpr std::size_t longest_note = 131072, most_note_signatures = 100;

// One signature line, well formed, of anybody.
struct NoteSignature {
    std::string_view line;  // with its end
    std::string_view name;
    NoteKey::Id id{};
    std::vector<std::uint8_t> signature;

    bool is_of(const NoteKey& key) const { return name == key.name && id == key.id(); }
};

// Borrows from the text that it was parsed from.
struct SignedNote {
    std::string_view text;  // with the newline that ends it
    std::vector<NoteSignature> signatures;

    // Errc::malformed: no UTF-8, control characters, lines that are no signatures, none of them, or
    // more than a note may have.
    static Result<SignedNote> parse(std::string_view note);
};

// Signature lines alone, as a witness answers them.
Result<std::vector<NoteSignature>> parse_signatures(std::string_view lines);

// A line for a signature, and whether the one of `key` (a log's) is on `text`.
std::string signature_line(const NoteKey& key, std::span<const std::uint8_t> signature);
bool verifies(const NoteSignature& signature, const NoteKey& key, std::string_view text);

// A cosignature: when, and by whom over what.
std::string cosigned_message(std::string_view text, std::uint64_t time);
struct OpenedCosignature {
    bool valid = false;
    std::uint64_t time = 0;
};
OpenedCosignature open_cosignature(const NoteSignature& signature, const NoteKey& key,
                                   std::string_view text);

// The text of a checkpoint of any log (C2SP tlog-checkpoint): what follows the third line are
// extensions, and not looked into.
struct CheckpointText {
    std::string_view origin;
    merkle::Head head;
    static Result<CheckpointText> parse(std::string_view text);
};

}  // namespace tallycard
