// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>
#include <tallycard/secret.hpp>

namespace tallycard {

// Reads a transport key: 64 lower-case hex digits and at most one line feed, in a regular file that
// only its owner may read. Error::where names what is wrong and what to do about it.
// Errc::file_missing; Errc::file_rejected (detail: errno); Errc::malformed (detail: byte offset).
TALLYCARD_EXPORT Result<TransportKey> read_transport_key(const std::string& path);

}  // namespace tallycard
