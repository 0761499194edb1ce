// SPDX-License-Identifier: Apache-2.0
// The end of a world: nothing goes wrong any more, and everything has to come out even.
#include <algorithm>

#include <tallycard/ledger_verifier.hpp>

#include "world.hpp"

namespace simulation {

// I9: two contacts are enough.
void World::resolve_card(SimCard& card)
{
    const auto agrees = [&] {
        const auto standing = host_.platform().standing(card.id(), std::nullopt);
        return standing && !standing->is_pending() && standing->settled == card.memory().sequence;
    };
    std::string last = "card and platform still disagree";
    for (int contact = 0; contact < 2 && !agrees(); ++contact) {
        SimLink link(environment_, card);
        const auto resolved = program(0).terminal->resolve(link);
        if (!resolved) last = resolved.error().message();
    }
    check(agrees(), "I9", "two contacts did not end what was pending: " + last);
}

void World::settle_down()
{
    environment_.injector.end();
    const Injector::Pause pause(environment_.injector);
    current_ = nullptr;
    if (plan_.seed % 2 == 0)
        while (!late_.empty()) deliver_late({});
    for (auto& program : programs_) start_program(program);
    environment_.set_clock(std::max(environment_.clock, auditor_.books().last_time()));
    if (plan_.seed % 3 == 0) pass(gap_after + std::chrono::days(1));
    check(host_.platform().close_gaps().has_value(), "I23", "gaps cannot be closed");
    check_now();
    for (const auto& card : cards_)
        if (!card->forked) resolve_card(*card);
    check_now();
    for (const auto& card : cards_)
        if (!card->forked) hand_in_gaps(*card);
    check_now();
    for (const auto& card : cards_)
        check(card->forked || missing_results(*card).empty(), "I23",
              "all of a gap came, and not all of it settled");
    end_orders();
    for (std::size_t i = 0; i < intents_.size(); ++i) {
        if (is_forked(intents_[i].card_id) || is_forked(cards_[intents_[i].other]->id())) continue;
        for (int times = 0; times < 2 && intents_[i].state == Intent::State::open; ++times) ask(i);
        check(intents_[i].state != Intent::State::open, "I9",
              std::string(name(intents_[i].action)) + " never ends");
    }
    for (auto& program : programs_) forward(program);
    for (const auto& card : cards_)
        if (!card->forked) resolve_card(*card);
    check_journals();
    check_intents();
    auditor_.at_end(host_.platform(), issued_cards());
    check_ledger();
}

// Asked for until it is known how it ended.
void World::end_orders()
{
    for (std::size_t i = 0; i < orders_.size(); ++i) {
        for (int times = 0; times < 2 && orders_[i].state == Intent::State::open; ++times)
            ask_order(i);
        check(orders_[i].state != Intent::State::open, "I9", "an order never ends");
    }
}

// What a terminal wrote down survived, and was settled.
void World::check_journals()
{
    for (auto& program : programs_) start_program(program);
    for (auto& program : programs_) forward(program);
    for (const auto& intent : intents_) {
        if (intent.action != Action::pay || intent.state != Intent::State::applied) continue;
        if (is_forked(intent.card_id)) continue;
        const auto* found = programs_[intent.terminal].journal->find(intent.id);
        check(found != nullptr && found->stage == JournalStage::acknowledged, "journal",
              "a payment that was made is not in the journal, or never closed");
    }
}

// An auditor with public keys alone, and the newest checkpoint that was shown.
void World::check_ledger()
{
    const auto path = folder_ + "/export";
    const auto made = host_.platform().export_ledger(path, checkpoint_key());
    check(made.has_value(), "I11", "the ledger cannot be exported");
    std::optional<Checkpoint> known;
    if (!auditor_.checkpoints().empty())
        known = auditor_.checkpoints()[plan_.seed % auditor_.checkpoints().size()];
    const auto report = verify_ledger(path, host_.issuer(), known);
    check(report.has_value(), "I11", "the export cannot be read");
    check(!report->fault, "I11",
          "the export does not verify: " + report->fault.value_or(LedgerFault{}).what);
    check(report->entries == auditor_.entries(), "I11", "entries are missing in the export");
    check(report->on_cards - report->recovered + report->in_accounts + report->cash +
                  report->outside ==
              0,
          "I3", "the exported books do not sum up to zero");
    check_report(*report);
}

// The library's auditor lists what ours has found.
void World::check_report(const LedgerReport& report) const
{
    std::map<CardId, std::int64_t> losses;
    std::int64_t recovered = 0;
    std::size_t gaps = 0, given_up = 0;
    for (const auto& [card_id, card] : auditor_.books().cards()) {
        if (card.book() < 0) losses[card_id] = -card.book();
        recovered += card.recovered;
        gaps += card.gaps.size();
        given_up += card.given_up_at ? 1u : 0u;
    }
    check(report.losses == losses, "I22", "the losses are not listed");
    check(report.recovered == recovered, "I22", "what was recovered is not listed");
    check(report.denied.size() >= given_up, "I22", "a card that was given up is not denied");
    check(report.gaps.size() == gaps, "I23", "the gaps are not listed");
    check(report.unaccounted == auditor_.books().unaccounted(), "I23",
          "what gaps have left is not listed");
}

}  // namespace simulation
