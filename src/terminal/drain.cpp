// SPDX-License-Identifier: Apache-2.0
// What a terminal's journal holds open, brought to its end.
#include <algorithm>

#include "notes.hpp"
#include "payment.hpp"

namespace tallycard {
namespace {

using contact::Contact;
using contact::Intent;

enum class How : bool { ask_again, give_up };

Drained now(const OperationJournal& journal, const OperationId& id)
{
    return {.entry = *journal.find(id), .settlement = std::nullopt, .reason = std::nullopt};
}

Drained open_because(const OperationJournal& journal, const OperationId& id, const Error& reason)
{
    auto drained = now(journal, id);
    drained.reason = reason;
    return drained;
}

// One journal and one platform; with a card, where there is one.
class Drain {
public:
    Drain(IssuerClient& issuer, const TerminalSettings& settings)
        : issuer_(issuer), journal_(*settings.journal), terminal_(settings.name)
    {
    }

    // Second halves come after all others: they wait for those.
    std::vector<JournalEntry> open_entries() const
    {
        std::vector<JournalEntry> open;
        std::ranges::copy_if(journal_.entries(), std::back_inserter(open),
                             [](const auto& entry) { return entry.is_open(); });
        std::stable_partition(open.begin(), open.end(),
                              [](const auto& entry) { return !entry.intent.after; });
        return open;
    }

    Drained end(const JournalEntry& entry)
    {
        if (entry.receipt) return settle(entry.intent.id);
        if (entry.intent.kind != Kind::payment) return ask_platform(entry.intent.id, false);
        if (entry.stage == JournalStage::intended) return conclude(entry.intent.id, not_applied());
        return now(journal_, entry.intent.id);
    }

    Drained end_at_card(const Contact& contact, const JournalEntry& entry, How how)
    {
        const auto& id = entry.intent.id;
        if (entry.receipt || (entry.intent.kind == Kind::payment && !entry.sent)) return end(entry);
        if (entry.intent.kind == Kind::payment)
            return conclude(id, look_for_payment(contact, entry));
        if (entry.intent.after) {
            const auto first = stage_of(*entry.intent.after);
            if (!first) return open_because(journal_, id, first.error());
            if (*first == JournalStage::not_applied) return conclude(id, not_applied());
            if (*first != JournalStage::acknowledged || how == How::give_up)
                return now(journal_, id);
        }
        if (how == How::give_up) return ask_platform(id, true);
        return ask_again(contact, entry);
    }

private:
    static Outcome not_applied() { return NotApplied{{.code = Errc::cancelled, .where = "drain"}}; }

    // The journal has the receipt.
    Drained settle(const OperationId& id)
    {
        const auto entry = *journal_.find(id);
        const auto settlement =
            issuer_.settle({*entry.receipt, entry.executed(), terminal_, entry.intent.reference});
        if (!settlement) return open_because(journal_, id, settlement.error());
        if (settlement->settled) {
            if (const auto kept = journal_.acknowledged(id); !kept)
                return open_because(journal_, id, kept.error());
        }
        auto drained = now(journal_, id);
        drained.settlement = *settlement;
        return drained;
    }

    // Writes down how it ended.
    Drained conclude(const OperationId& id, const Outcome& outcome)
    {
        if (const auto* applied = std::get_if<Applied>(&outcome)) {
            const auto kept = journal_.executed(id, applied->operation, applied->receipt);
            return kept ? settle(id) : open_because(journal_, id, kept.error());
        }
        if (const auto* doubt = std::get_if<InDoubt>(&outcome))
            return open_because(journal_, id, doubt->reason);
        const auto& reason = std::get<NotApplied>(outcome).reason;
        const bool is_open = journal_.find(id)->is_open();
        const auto kept = is_open ? journal_.not_applied(id) : Result<void>();
        return open_because(journal_, id, kept ? reason : kept.error());
    }

    // What the platform knows of an online operation.
    Drained ask_platform(const OperationId& id, bool give_up)
    {
        const auto status = issuer_.status(id, terminal_);
        if (!status && status.error().code == Errc::unknown_operation)
            return give_up ? conclude(id, not_applied()) : now(journal_, id);
        if (!status) return open_because(journal_, id, status.error());
        if (status->progress == Progress::voided)
            return conclude(id, NotApplied{{.code = Errc::operation_ended, .where = "drain"}});
        if (status->progress == Progress::pending || !status->receipt) return now(journal_, id);
        return conclude(id, Applied{status->first.operation, *status->receipt, std::nullopt});
    }

    // Of a first half, which the journal may have forgotten.
    Result<JournalStage> stage_of(const OperationId& id)
    {
        if (const auto* entry = journal_.find(id)) return entry->stage;
        const auto status = issuer_.status(id, terminal_);
        if (!status && status.error().code == Errc::unknown_operation)
            return JournalStage::not_applied;
        if (!status) return status.error();
        switch (status->progress) {
        case Progress::pending: return JournalStage::sent;
        case Progress::settled: return JournalStage::acknowledged;
        case Progress::voided: return JournalStage::not_applied;
        }
        return JournalStage::sent;
    }

    Drained ask_again(const Contact& contact, const JournalEntry& entry)
    {
        const auto& wanted = entry.intent;
        const Intent intent{.kind = wanted.kind,
                            .amount = wanted.amount,
                            .account = wanted.account,
                            .parameter = wanted.parameter,
                            .after = wanted.after};
        const auto ask = needs_request(wanted.kind) ? card_asks(contact, wanted.id, intent)
                                                    : platform_signs(contact, wanted.id, intent);
        const auto outcome = perform(contact, wanted.id, intent, ask);
        const auto* doubt = std::get_if<InDoubt>(&outcome);
        if (doubt != nullptr && doubt->reason.code == Errc::issuer_unreachable && entry.sent &&
            entry.sent->first && is_same(entry.sent->first->operation, intent)) {
            // The card takes it without the platform, and gives the receipt of what it has done.
            const auto receipt = deliver(contact, *entry.sent->first, contact.pin);
            if (receipt) {
                return conclude(wanted.id,
                                Applied{entry.sent->first->operation, *receipt, std::nullopt});
            }
        }
        const auto* applied = std::get_if<Applied>(&outcome);
        const auto* refused = std::get_if<NotApplied>(&outcome);
        // A second half: its value is on the way, and it is asked for until it has arrived.
        if (wanted.after && refused != nullptr)
            return open_because(journal_, wanted.id, refused->reason);
        if (applied == nullptr) return conclude(wanted.id, outcome);
        auto drained = now(journal_, wanted.id);  // it is written down already
        drained.settlement = applied->settlement;
        return drained;
    }

    IssuerClient& issuer_;
    OperationJournal& journal_;
    AccountId terminal_;
};

Result<std::vector<Drained>> drain_at_card(const Contact& contact, How how)
{
    TALLYCARD_EXPECTS(contact.settings.journal != nullptr);
    auto session = begin(contact);
    if (!session) return session.error();
    const auto card_id = session->info().card_id;
    if (auto ended = session->end(); !ended) return ended.error();
    Drain drain(contact.issuer, contact.settings);
    std::vector<Drained> all;
    // A PIN is given for one operation only.
    Contact here = contact;
    for (const auto& entry : drain.open_entries()) {
        if (entry.intent.card_id != card_id) {
            all.push_back(drain.end(entry));
            continue;
        }
        all.push_back(drain.end_at_card(here, entry, how));
        if (is_debit(entry.intent.kind)) here.pin = {};
    }
    return all;
}

}  // namespace

std::vector<Drained> Terminal::drain()
{
    TALLYCARD_EXPECTS(settings_.journal != nullptr);
    Drain drain(*issuer_, settings_);
    std::vector<Drained> all;
    for (const auto& entry : drain.open_entries()) all.push_back(drain.end(entry));
    return all;
}

Result<std::vector<Drained>> Terminal::drain(CardLink& card, const HolderPin& pin)
{
    return drain_at_card({*issuer_, settings_, card, pin}, How::ask_again);
}

Result<std::vector<Drained>> Terminal::give_up(CardLink& card)
{
    if (auto voided = void_pending(card); !voided) return voided.error();
    return drain_at_card({*issuer_, settings_, card}, How::give_up);
}

}  // namespace tallycard
