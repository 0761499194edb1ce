// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/note_key.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// Whose cosignatures a checkpoint has to have before it is believed (C2SP tlog-policy). A value
// type.
class WitnessPolicy {
public:
    struct Log {
        NoteKey key;
        std::string url;  // empty: none is given
    };
    struct Witness {
        std::string name;  // within the policy
        NoteKey key;
        std::string url;  // where it takes checkpoints; empty: none is given
    };
    struct Cosignature {
        std::size_t witness = 0;  // place in witnesses()
        std::uint64_t time = 0;   // when it signed: seconds since 1970
    };

    // The text of a policy file: lines "log", "witness", "group" and "quorum". At most 64 of each
    // of the first three. Errc::file_malformed at the line.
    TALLYCARD_EXPORT static Result<WitnessPolicy> parse(std::string_view text);
    // Errors as of files, and of parse().
    TALLYCARD_EXPORT static Result<WitnessPolicy> read(const std::string& path);

    const std::vector<Log>& logs() const { return logs_; }
    const std::vector<Witness>& witnesses() const { return witnesses_; }

    // Whether these witnesses, by their place, are enough.
    TALLYCARD_EXPORT bool is_met_by(const std::vector<std::size_t>& witnesses) const;

    // The cosignatures of known witnesses on a note, each witness once; signatures of others are
    // passed over. Errc::malformed; Errc::bad_signature where that of a known witness does not
    // verify. That the log signed the note is not looked at: Checkpoint::open_cosigned().
    TALLYCARD_EXPORT Result<std::vector<Cosignature>> cosignatures(std::string_view note) const;
    // The same, and Errc::witnesses_missing where they are not enough.
    TALLYCARD_EXPORT Result<std::vector<Cosignature>> check(std::string_view note) const;

private:
    // Of witnesses, or of groups that stand before it.
    struct Group {
        std::size_t wanted = 0;
        std::vector<std::size_t> witnesses, groups;
    };
    friend class PolicyReader;

    std::vector<Log> logs_;
    std::vector<Witness> witnesses_;
    std::vector<Group> groups_;
    std::size_t quorum_ = 0;  // place in groups_; one past the last: none is wanted
};

}  // namespace tallycard
