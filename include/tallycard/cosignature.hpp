// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tallycard/export.hpp>
#include <tallycard/note_key.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

// A witness's private key. It makes the statement of C2SP tlog-cosignature, cosignature/v1: at this
// time, this is the largest tree of its origin that I have seen, and it continues all that I saw
// before. That this is true is the caller's to know: see tallycard-witness.
//
// Move-only; the seed is erased when destroyed. Thread-safe. No two witnesses may have one key.
class TALLYCARD_EXPORT CosignerKey {
public:
    // Requires is_note_name(name).
    CosignerKey(std::string name, KeySeed seed);
    const NoteKey& verifier() const { return verifier_; }

    // A signature line for the note of that text, which ends in a newline. `time` is in seconds
    // since 1970, below 2^63.
    std::string cosign(std::string_view text, std::uint64_t time) const;

private:
    NoteKey verifier_;
    KeySeed seed_;
};

}  // namespace tallycard
