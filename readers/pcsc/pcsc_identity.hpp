// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <tallycard/reader.hpp>

namespace tallycard::pcsc {

// Asks the reader's driver, whether a card is in or not. What it does not say stays empty.
Result<ReaderIdentity> identify(const std::string& reader, std::chrono::milliseconds longest);

}  // namespace tallycard::pcsc
