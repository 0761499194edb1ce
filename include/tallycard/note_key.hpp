// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>

namespace tallycard {

// What a key signs, as C2SP signed-note numbers it.
enum class NoteKeyType : std::uint8_t {
    log = 1,      // notes: a log's checkpoints
    witness = 4,  // cosignatures with a time, of checkpoints (C2SP tlog-cosignature)
};

// The public half of an Ed25519 key that signs notes, and its name: as text a "vkey",
// "NAME+ID+KEY". A value type.
struct NoteKey {
    std::string name;
    NoteKeyType type = NoteKeyType::log;
    PublicKey key;

    // What a signature line has before the signature: with the name it says whose it is.
    using Id = std::array<std::uint8_t, 4>;
    TALLYCARD_EXPORT Id id() const;
    TALLYCARD_EXPORT std::string to_string() const;
    // Exactly what to_string() makes, of a name that is_note_name() admits and a key that Ed25519
    // does.
    TALLYCARD_EXPORT static std::optional<NoteKey> parse(std::string_view text);

    friend bool operator==(const NoteKey&, const NoteKey&) = default;
};

// Whether a key may have this name: UTF-8 without spaces of any kind, control characters and '+',
// at most 255 bytes.
TALLYCARD_EXPORT bool is_note_name(std::string_view name);

}  // namespace tallycard
