// SPDX-License-Identifier: Apache-2.0
#include <tallycard/reader.hpp>

namespace tallycard {

CardLink::~CardLink() = default;
Reader::~Reader() = default;
ReaderDriver::~ReaderDriver() = default;

}  // namespace tallycard
