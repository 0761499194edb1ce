// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/merkle.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>
#include <tallycard/signer.hpp>

namespace tallycard {

// Signs notes in the issuer's name: checkpoints and exports of the ledger. Move-only; a seed is
// erased when destroyed. Thread-safe.
class TALLYCARD_EXPORT CheckpointKey {
public:
    explicit CheckpointKey(KeySeed seed);
    // Requires a signer.
    explicit CheckpointKey(std::unique_ptr<NoteSigner> signer);
    const PublicKey& public_key() const { return public_key_; }

    // A signed note (C2SP signed-note): the text, which must end in a newline, an empty line, and
    // our signature line under the name `origin`. Errors are the signer's: a key file has none.
    Result<std::string> sign_note(std::string_view text, std::string_view origin) const;

private:
    std::unique_ptr<NoteSigner> signer_;
    PublicKey public_key_;
};

// What the ledger was at one moment, in the issuer's words (C2SP tlog-checkpoint): an origin line,
// the size, the root. As text it is a signed note.
struct Checkpoint {
    std::string origin;
    merkle::Head head;

    TALLYCARD_EXPORT Result<std::string> sign(const CheckpointKey& key) const;

    // Takes exactly what sign() makes. Errc::malformed; Errc::bad_signature when it is of another
    // origin, or not of this key.
    TALLYCARD_EXPORT static Result<Checkpoint> open(std::string_view note, std::string_view origin,
                                                    const PublicKey& key);
    // The same, where others may have signed beside the issuer: their lines are not looked into.
    TALLYCARD_EXPORT static Result<Checkpoint> open_cosigned(std::string_view note,
                                                             std::string_view origin,
                                                             const PublicKey& key);

    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The text of a note that `key` signed as `origin`, and of nobody else's beside it.
TALLYCARD_EXPORT Result<std::string_view> open_note(std::string_view note, std::string_view origin,
                                                    const PublicKey& key);

}  // namespace tallycard
