// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include <tallycard/operation_journal.hpp>

#include "input.hpp"

namespace fuzz {

// A journal on a disk that fails now and then: what fails has changed nothing. The file below may
// be closed and opened again, as by the next program.
class FailingJournal final : public tallycard::OperationJournal {
public:
    explicit FailingJournal(Input& input) : input_(input) {}

    void put(std::unique_ptr<tallycard::OperationJournal> below) { below_ = std::move(below); }
    void be_honest() { is_honest_ = true; }

    tallycard::Result<void> intend(const tallycard::JournalIntent& intent,
                                   const std::optional<tallycard::JournalSent>& sent) override
    {
        return fails() ? failure() : below_->intend(intent, sent);
    }
    tallycard::Result<void> sent(const tallycard::OperationId& id,
                                 const tallycard::JournalSent& sent) override
    {
        return fails() ? failure() : below_->sent(id, sent);
    }
    tallycard::Result<void> executed(const tallycard::OperationId& id,
                                     const tallycard::Operation& operation,
                                     const tallycard::Receipt& receipt) override
    {
        return fails() ? failure() : below_->executed(id, operation, receipt);
    }
    tallycard::Result<void> acknowledged(const tallycard::OperationId& id) override
    {
        return fails() ? failure() : below_->acknowledged(id);
    }
    tallycard::Result<void> not_applied(const tallycard::OperationId& id) override
    {
        return fails() ? failure() : below_->not_applied(id);
    }
    tallycard::Result<void> compact(std::size_t keep) override
    {
        return fails() ? failure() : below_->compact(keep);
    }
    const std::vector<tallycard::JournalEntry>& entries() const override
    {
        return below_->entries();
    }

private:
    bool fails() { return !is_honest_ && input_.byte() >= 0xF4; }
    static tallycard::Result<void> failure()
    {
        return tallycard::Error{.code = tallycard::Errc::file_rejected, .where = "fuzz"};
    }

    Input& input_;
    std::unique_ptr<tallycard::OperationJournal> below_;
    bool is_honest_ = false;
};

}  // namespace fuzz
