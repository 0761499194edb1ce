// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <tallycard/export.hpp>
#include <tallycard/reader.hpp>

namespace tallycard {

// The readers of `inner`; what passes is written to a new file at `path`, a line at a time, in the
// format of docs/reader-decorators.md: a record that can be shown to others, and played again with
// open_replay(). Threads: as `inner`.
//
// No PIN and no key is in it. The data of a command is written only where the protocol says that it
// is public and it has the form that the protocol gives it; of everything else there are the header
// and the length. What a card says of its holder's value is there: balances, account names,
// signatures; and so are the names of the readers.
//
// The file has mode 0600. Errc::file_exists: what is there is never touched. Should the disk be
// full later, the record ends there and the session goes on.
TALLYCARD_EXPORT Result<std::unique_ptr<ReaderDriver>> open_traced(
    std::unique_ptr<ReaderDriver> inner, const std::string& path);

}  // namespace tallycard
