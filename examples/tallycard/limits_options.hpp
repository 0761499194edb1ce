// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tallycard/limits.hpp>
#include <tallycard/unit.hpp>

#include "options.hpp"

// A card's limits on the command line: for 'issue' and 'set-limits'.
namespace limits_options {

void add(CLI::App& command, Options& options);
// Throws ResultError (Errc::bad_amount) where an amount does not read.
tallycard::Limits parse(const Options& options, const tallycard::Currency& currency);

}  // namespace limits_options
