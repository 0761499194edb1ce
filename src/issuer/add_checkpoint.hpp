// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/result.hpp>

#include "signed_note.hpp"

namespace tallycard {

// What a log asks of a witness (C2SP tlog-witness, add-checkpoint): to cosign a checkpoint that
// continues the one that the witness knows. The note is borrowed, and not looked into.
struct AddCheckpoint {
    static constexpr std::size_t most_hashes = 63, longest = longest_note + 64 * 45;

    std::uint64_t old_size = 0;  // of the checkpoint that the witness knows; 0: none
    std::vector<Digest> proof;   // from there
    std::string_view note;

    // Exactly what to_text() makes. Errc::malformed.
    static Result<AddCheckpoint> parse(std::string_view text);
    TALLYCARD_EXPORT std::string to_text() const;
};

}  // namespace tallycard
