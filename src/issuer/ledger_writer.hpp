// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include <tallycard/result.hpp>
#include <tallycard/store.hpp>

namespace tallycard {

// Appends to the ledger of a store, with the time.
class LedgerWriter {
public:
    // `now` is the clock's. It may be behind the last entry, whose time then stands again; where it
    // is ahead of it by more than `longest_silence`, nothing is written: Errc::clock_wrong, since
    // time in the ledger never goes back.
    LedgerWriter(StoreTransaction& transaction, Time now, std::chrono::milliseconds longest_silence)
        : store_(&transaction), now_(now), longest_silence_(longest_silence)
    {
    }

    struct Written {
        std::uint64_t index = 0;
        Time time;
    };
    Result<Written> append(const decltype(Entry::what)& what,
                           const std::optional<Posting>& posting);

private:
    Result<Time> time_behind(const LedgerEnd& end) const;

    StoreTransaction* store_;
    Time now_;
    std::chrono::milliseconds longest_silence_;
};

}  // namespace tallycard
