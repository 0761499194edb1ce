// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/reader.hpp>

#include "report.hpp"

// Prints what happens at the readers, a line each (JSON: an object each), until SIGINT or SIGTERM.
// The driver must not have started threads. The report is empty: all has been said.
Report watch_readers(tallycard::ReaderDriver& driver, bool json);
