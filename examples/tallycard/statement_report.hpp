// SPDX-License-Identifier: Apache-2.0
// Entries of the ledger as people and other programs read them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <tallycard/store_rows.hpp>
#include <tallycard/unit.hpp>

#include "report.hpp"

namespace statement {

// Settings of a statement: the account that a statement is of, if it is of one.
struct View {
    tallycard::Currency currency;
    std::optional<tallycard::AccountName> account;
    bool local_time = false;  // for people; files have UTC
};

std::string kind_of(const tallycard::Entry& entry);  // "payment", "pay out", "gap"
// The account got this by the entry; below zero: gave. Of no account: the amount that moved.
tallycard::Amount amount_of(const tallycard::LedgerRow& row, const View& view);

std::string as_table(const std::vector<tallycard::LedgerRow>& rows, const View& view);
Json as_json(const tallycard::LedgerRow& row, const View& view);
// RFC 4180, with a line of names.
std::string as_csv(const std::vector<tallycard::LedgerRow>& rows, const View& view);
// A journal that hledger reads: a transaction for each entry that moved value.
std::string as_hledger(const std::vector<tallycard::LedgerRow>& rows, const View& view);

// "2026-11-29" or "2026-11-29T10:00:00", in UTC or in local time. Empty for what is neither.
std::optional<tallycard::Time> parse_time(const std::string& text, bool local);

}  // namespace statement
