// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <tallycard/terminal.hpp>

#include "report.hpp"

std::string describe_intent(const tallycard::JournalIntent& intent,
                            const tallycard::Currency& currency);

// How the open operations of the journal stand: one line and one member of "operations" for each.
// The worst exit code of all; no text where nothing was open.
Report report_of(const std::vector<tallycard::Drained>& drained,
                 const tallycard::Currency& currency);
