// SPDX-License-Identifier: Apache-2.0
// What 'ledger verify' found, for people and as JSON.
#pragma once

#include <string>

#include <tallycard/ledger_verifier.hpp>

#include "report.hpp"

Report verified(const tallycard::LedgerReport& found, const tallycard::Currency& currency);

// Which witnesses have seen how much, by the names of the policy.
void report_witnessed(Report& report, const tallycard::LedgerReport& found,
                      const tallycard::WitnessPolicy& policy);

// Nothing outside the store said how far the ledger had come: that it is the newest one is not
// known. The first time that is as it has to be.
void report_missing(Report& report, const std::string& checkpoint);
