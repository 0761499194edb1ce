// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <tallycard/export.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

// What a reader specification cannot say.
struct ReaderSpecOptions {
    std::optional<TransportKey> transport_key;  // makes a blank card for a loopback reader
    Deadlines deadlines;
};

// The readers of a specification, and which one of them it names.
struct ReaderSource {
    std::unique_ptr<ReaderDriver> driver;
    std::string reader;  // a name, an index, "serial:S" or "usb:PATH"; empty: any of them
};

// Opens the readers that a text names, as users write it:
//
//     pcsc, pcsc:READER      readers of pcscd; READER: name, index, serial:S or usb:PATH
//     READER, empty          the same
//     loopback:IMAGE         a virtual card in this process
//     vpcd:SOCKET            a reader that a card program connects to (open_vpcd()): wait for it
//     fault:PLAN,SPEC        readers of SPEC that fail as the file PLAN says (open_faulty())
//     trace:FILE,SPEC        readers of SPEC, recorded in the new file FILE (open_traced())
//     replay:FILE            readers of a record (open_replay())
//
// The name of a file before a comma has none itself. Errc::malformed when it is none of these;
// else what the driver says.
TALLYCARD_EXPORT Result<ReaderSource> open_reader_driver(const std::string& spec,
                                                         ReaderSpecOptions options = {});

// The reader that a source names; where it names none, the first with a card, else the first.
// Errc::reader_unavailable when there is none.
TALLYCARD_EXPORT Result<std::unique_ptr<Reader>> open_reader(ReaderSource& source);

}  // namespace tallycard
