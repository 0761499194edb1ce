// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <tallycard/cosignature.hpp>
#include <tallycard/note_key.hpp>
#include <tallycard/result.hpp>

namespace tallycard::witness {

// The files of a witness's folder.
struct Folder {
    explicit Folder(std::string folder) : path(std::move(folder)) {}
    std::string key() const { return path + "/witness.key"; }         // sealed
    std::string public_key() const { return path + "/witness.pub"; }  // one line: its vkey
    std::string passphrase() const { return path + "/passphrase"; }
    std::string logs() const { return path + "/logs"; }  // a policy: the lines "log" count
    std::string state() const { return path + "/state"; }
    std::string certificate() const { return path + "/tls.crt"; }
    std::string certificate_key() const { return path + "/tls.key"; }

    std::string path;
};

// A new witness: all the files of its folder. What is in `passphrase_file` seals the key; it is
// made where it is not there. A making that was interrupted is carried on, with the key that is
// there. Errc::file_exists where there is a witness already, or other logs; Errc::malformed for a
// name that a key may not have.
Result<NoteKey> make_folder(const Folder& folder, const std::string& name,
                            const std::vector<NoteKey>& logs, const std::string& passphrase_file);

Result<NoteKey> read_public_key(const Folder& folder);
Result<CosignerKey> open_key(const Folder& folder, const std::string& passphrase_file);
// Whose checkpoints it cosigns.
Result<std::vector<NoteKey>> read_logs(const Folder& folder);

}  // namespace tallycard::witness
