// SPDX-License-Identifier: Apache-2.0
#include <tallycard/operation_journal.hpp>

#include <algorithm>
#include <span>

#include "journal_file.hpp"
#include "journal_lines.hpp"

namespace tallycard {
namespace {

using journal::Event;
using journal::Executed;
using journal::JournalFile;

Error conflict()
{
    return {.code = Errc::conflict, .where = "journal"};
}

bool has_happened(const JournalEntry& entry)
{
    return entry.receipt.has_value() || entry.stage == JournalStage::acknowledged;
}

// The lines that say all of an entry.
void add_lines(const JournalEntry& entry, std::vector<std::string>& lines)
{
    const auto& id = entry.intent.id;
    const auto add = [&](auto what) { lines.push_back(to_line(Event{id, std::move(what)})); };
    add(entry.intent);
    if (entry.sent) add(*entry.sent);
    if (entry.receipt) add(Executed{*entry.operation, *entry.receipt});
    if (!entry.is_open()) add(entry.stage);
}

class FileJournal final : public OperationJournal {
public:
    explicit FileJournal(std::unique_ptr<JournalFile> file) : file_(std::move(file)) {}

    Result<void> load()
    {
        std::size_t number = 1;  // the header's
        for (const auto& line : file_->lines()) {
            ++number;
            const auto event = journal::parse(line);
            if (!event || !take(*event)) return journal::damaged(number);
        }
        file_->forget_lines();
        return {};
    }

    Result<void> intend(const JournalIntent& intent,
                        const std::optional<JournalSent>& sent) override
    {
        const auto* known = find(intent.id);
        if (known != nullptr && known->intent != intent) return conflict();
        std::vector<Event> events;
        if (known == nullptr || known->stage == JournalStage::not_applied)
            events.push_back({intent.id, intent});
        if (sent && !(known != nullptr && has_happened(*known)))
            events.push_back({intent.id, *sent});
        return write(events);
    }

    Result<void> sent(const OperationId& id, const JournalSent& sent) override
    {
        const auto& known = expect(id);
        if (has_happened(known) || (known.stage == JournalStage::sent && known.sent == sent))
            return {};
        return write({{id, sent}});
    }

    Result<void> executed(const OperationId& id, const Operation& operation,
                          const Receipt& receipt) override
    {
        const auto& known = expect(id);
        if (known.receipt && *known.receipt != receipt) return conflict();
        if (known.receipt) return {};
        return write({{id, Executed{operation, receipt}}});
    }

    Result<void> acknowledged(const OperationId& id) override
    {
        return end(id, JournalStage::acknowledged);
    }
    Result<void> not_applied(const OperationId& id) override
    {
        return end(id, JournalStage::not_applied);
    }

    Result<void> compact(std::size_t keep) override
    {
        std::vector<JournalEntry> kept;
        auto ended = static_cast<std::size_t>(
            std::ranges::count_if(entries_, [](const auto& entry) { return !entry.is_open(); }));
        for (const auto& entry : entries_) {
            const bool is_old = !entry.is_open() && ended-- > keep;
            if (!is_old || is_needed(entry.intent.id)) kept.push_back(entry);
        }
        std::vector<std::string> lines;
        for (const auto& entry : kept) add_lines(entry, lines);
        if (auto replaced = file_->replace(lines); !replaced) return replaced;
        entries_ = std::move(kept);
        return {};
    }

    const std::vector<JournalEntry>& entries() const override { return entries_; }

private:
    JournalEntry* find_mutable(const OperationId& id)
    {
        const auto at = std::ranges::find(entries_, id, [](const auto& e) { return e.intent.id; });
        return at == entries_.end() ? nullptr : &*at;
    }
    const JournalEntry& expect(const OperationId& id) const
    {
        const auto* known = find(id);
        TALLYCARD_EXPECTS(known != nullptr);
        return *known;
    }
    bool is_needed(const OperationId& id) const
    {
        return std::ranges::any_of(entries_, [&](const auto& entry) {
            return entry.is_open() && entry.intent.after == id;
        });
    }

    Result<void> end(const OperationId& id, JournalStage stage)
    {
        const auto& known = expect(id);
        if (known.stage == stage) return {};
        if (!known.is_open() || (has_happened(known) && stage == JournalStage::not_applied))
            return conflict();
        return write({{id, stage}});
    }

    // A line that does not read back, as an intent whose amount has the wrong sign, would cost the
    // whole journal.
    Result<void> write(const std::vector<Event>& events)
    {
        if (events.empty()) return {};
        std::vector<std::string> lines;
        lines.reserve(events.size());
        for (const auto& event : events) {
            lines.push_back(to_line(event));
            if (journal::parse(lines.back()) != event)
                return Error{.code = Errc::malformed, .where = "journal"};
        }
        if (auto written = file_->append(lines); !written) return written;
        for (const auto& event : events) TALLYCARD_EXPECTS(take(event));
        return {};
    }

    // False for what no journal says.
    bool take(const Event& event)
    {
        auto* known = find_mutable(event.id);
        if (const auto* intent = std::get_if<JournalIntent>(&event.what)) {
            if (known == nullptr) {
                entries_.push_back({.intent = *intent});
                return true;
            }
            if (known->stage != JournalStage::not_applied || known->intent != *intent) return false;
            *known = {.intent = *intent};
            return true;
        }
        return known != nullptr && take(*known, event);
    }

    static bool take(JournalEntry& known, const Event& event)
    {
        if (const auto* sent = std::get_if<JournalSent>(&event.what)) {
            if (has_happened(known)) return false;
            known.sent = *sent;
            known.stage = JournalStage::sent;
        } else if (const auto* executed = std::get_if<Executed>(&event.what)) {
            if (known.receipt) return false;
            known.operation = executed->operation;
            known.receipt = executed->receipt;
            known.stage = JournalStage::executed;
        } else {
            const auto end = std::get<JournalStage>(event.what);
            if (!known.is_open() || (end == JournalStage::not_applied && known.receipt))
                return false;
            known.stage = end;
        }
        return true;
    }

    std::unique_ptr<JournalFile> file_;
    std::vector<JournalEntry> entries_;
};

}  // namespace

OperationJournal::~OperationJournal() = default;

std::optional<ExecutedOperation> JournalEntry::executed() const
{
    if (!operation) return std::nullopt;
    if (operation->kind == Kind::payment) return ExecutedOperation{*operation, std::nullopt};
    if (!sent || !sent->first || sent->first->operation != *operation) return std::nullopt;
    return ExecutedOperation{*operation, sent->first->issuer_signature};
}

const JournalEntry* OperationJournal::find(const OperationId& id) const
{
    const auto& all = entries();
    const auto at = std::ranges::find(all, id, [](const auto& entry) { return entry.intent.id; });
    return at == all.end() ? nullptr : &*at;
}

Result<std::unique_ptr<OperationJournal>> OperationJournal::open(const std::string& path,
                                                                 std::chrono::milliseconds wait)
{
    auto file = JournalFile::open(path, wait);
    if (!file) return file.error();
    auto journal = std::make_unique<FileJournal>(std::move(*file));
    if (auto loaded = journal->load(); !loaded) return loaded.error();
    return std::unique_ptr<OperationJournal>(std::move(journal));
}

}  // namespace tallycard
