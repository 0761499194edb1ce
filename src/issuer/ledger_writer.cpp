// SPDX-License-Identifier: Apache-2.0
#include "ledger_writer.hpp"

#include <algorithm>

#include <tallycard/merkle.hpp>

#include "ledger_tree.hpp"

namespace tallycard {

Result<LedgerWriter::Written> LedgerWriter::append(const decltype(Entry::what)& what,
                                                   const std::optional<Posting>& posting)
{
    const auto end = store_->ledger_end();
    if (!end) return end.error();
    const auto time = time_behind(*end);
    if (!time) return time.error();
    const Entry entry{*time, what};
    if (const auto done = store_->append_entry(end->entries, entry, posting); !done)
        return done.error();
    const auto leaf = merkle::leaf_hash(entry.encode());
    if (const auto done = LedgerTree(*store_).append(end->entries, leaf); !done)
        return done.error();
    return Written{end->entries, *time};
}

Result<Time> LedgerWriter::time_behind(const LedgerEnd& end) const
{
    const bool jumped = end.entries > 0 && now_ - end.time > longest_silence_;
    if (jumped || now_ > last_time) return Error{.code = Errc::clock_wrong, .where = "ledger"};
    return std::max({now_, end.time, Time{}});
}

}  // namespace tallycard
