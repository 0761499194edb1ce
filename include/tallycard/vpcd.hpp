// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// Readers that virtual cards connect to, with no daemon in between and no root: each is a socket
// where a vpcd-style card program (tallycard-vicc, or vsmartcard's vicc) is a card. To the program
// and to the application they are readers as those of open_pcsc().
//
// Each of `sockets` is a port of 127.0.0.1 ("35963"; "0" is any free one; any program of this
// machine may then be the card), or the path of a Unix socket ("/tmp/card", mode 0600, removed in
// the end). A reader is named "vpcd:35963", with the port in use, or "vpcd:/tmp/card".
//
// Errc::malformed for what is neither. Errc::file_in_use, Errc::file_exists, Errc::file_rejected
// (detail: errno) when the socket cannot be had. The links of one reader take turns by begin() and
// end(); drivers and readers may be used from different threads, each object from one at a time.
TALLYCARD_EXPORT Result<std::unique_ptr<ReaderDriver>> open_vpcd(
    const std::vector<std::string>& sockets, const Deadlines& deadlines = {});

}  // namespace tallycard
