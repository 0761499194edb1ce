// SPDX-License-Identifier: Apache-2.0
// The deny list in a till's file: its lines, then the issuer's note on them.
#pragma once

#include <optional>

#include <tallycard/deny_list.hpp>
#include <tallycard/issuer_description.hpp>

#include "office.hpp"
#include "options.hpp"
#include "report.hpp"

namespace deny_list_file {

struct Found {
    tallycard::DenyList list;
    tallycard::DenyListHead head;
};

// Of --deny-list; empty where the option is not given. Throws ResultError where the file is not
// what the issuer signed, or older than --deny-list-max-age says.
std::optional<Found> current(const Options& options, const tallycard::IssuerDescription& issuer);

// Fetches what options.file lacks. Takes nothing that is older than what is there.
Found fetch(const Options& options, workplace::Office& office);

// Adds how old it is.
void report_age(Report& report, const Found& found);

}  // namespace deny_list_file
