// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/cosignature.hpp>
#include <tallycard/note_key.hpp>
#include <tallycard/result.hpp>

#include "../issuer/signed_note.hpp"
#include "state.hpp"

namespace tallycard::witness {

// What became of a request.
enum class Verdict : std::uint8_t {
    cosigned,
    malformed,
    unknown_log,   // of an origin that is none of ours
    not_signed,    // by none of the keys that this origin has
    other_size,    // it continues another checkpoint than the one we know
    forked,        // as large as the one we know, and not the same
    inconsistent,  // the proof does not lead from there to here
    failed,        // our own memory failed: nothing was signed
};

struct Answer {
    Verdict verdict = Verdict::cosigned;
    std::string lines;       // cosigned: the signature line
    std::string origin;      // where it is known
    std::uint64_t size = 0;  // cosigned: of that checkpoint; else of the one that we know
    std::string note;        // forked, inconsistent: what its log signed, which may prove a fork
    Error error;             // malformed, failed
};

// Cosigns what continues what it cosigned before, log by log, and nothing else (C2SP tlog-witness).
// What it is about to sign is durable before it is signed: whatever breaks, it never signs a tree
// that is smaller than, or not a continuation of, one that it signed. Thread-safe: one request at a
// time.
class Witness {
public:
    using Clock = std::function<std::uint64_t()>;  // seconds since 1970

    Witness(CosignerKey key, std::vector<NoteKey> logs, State state, Clock clock);
    const NoteKey& verifier() const { return key_.verifier(); }
    Answer add_checkpoint(std::string_view request);
    // For the requests that come from now on.
    void replace_logs(std::vector<NoteKey> logs);

private:
    std::string signed_by_its_log(const SignedNote& note, std::string_view origin) const;

    CosignerKey key_;
    std::mutex mutex_;
    std::vector<NoteKey> logs_;
    State state_;
    Clock clock_;
};

}  // namespace tallycard::witness
