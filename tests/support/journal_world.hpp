// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <memory>

#include <tallycard/operation_journal.hpp>

#include "terminal_world.hpp"

namespace testing {

// A world whose terminal has a journal, which is opened anew as by the next program.
struct JournalWorld : TerminalWorld {
    JournalWorld() { restart(); }
    void restart()
    {
        journal.reset();
        journal = OperationJournal::open(issuer.folder().file("journal")).value();
    }
    Terminal at(IssuerClient& client) const
    {
        return {client,
                {.card_root = root.public_key(),
                 .name = test::account_id("till-1"),
                 .observer = nullptr,
                 .journal = journal.get()}};
    }
    JournalStage stage(const OperationId& id) const
    {
        const auto* entry = journal->find(id);
        REQUIRE(entry != nullptr);
        return entry->stage;
    }
    bool has_open() const
    {
        return std::ranges::any_of(journal->entries(), &JournalEntry::is_open);
    }

    std::unique_ptr<OperationJournal> journal;
};

}  // namespace testing
