// SPDX-License-Identifier: Apache-2.0
#include "journal_report.hpp"

#include <algorithm>

using namespace tallycard;

namespace {

Report of_one(const Drained& drained, const Currency& currency)
{
    const auto& entry = drained.entry;
    const auto text = describe_intent(entry.intent, currency);
    const auto id = entry.intent.id.to_string();
    if (entry.stage == JournalStage::acknowledged) {
        const auto& settlement = drained.settlement;
        if (!settlement) return {text + ": settled", {{"outcome", "settled"}}, exit_code::done};
        return {text + ": settled, ledger entry " + std::to_string(settlement->ledger_index),
                {{"outcome", "settled"}, {"ledger_entry", settlement->ledger_index}},
                exit_code::done};
    }
    if (entry.stage == JournalStage::not_applied)
        return {text + ": did not happen", {{"outcome", "not_applied"}}, exit_code::done};
    if (drained.settlement) {
        return {text +
                    ": kept until the operations before it have come, or the issuer passes them "
                    "over; present the card and run 'tallycard resolve'",
                {{"outcome", "kept"}},
                exit_code::in_doubt};
    }
    if (entry.receipt && drained.reason) return report_of(*drained.reason);
    if (drained.reason) return still_in_doubt(*drained.reason, id);
    return {text + " (id " + id + "): in doubt; present the card " +
                entry.intent.card_id.to_string() + " and run 'tallycard resolve'",
            {{"outcome", "in_doubt"}},
            exit_code::in_doubt};
}

}  // namespace

std::string describe_intent(const JournalIntent& intent, const Currency& currency)
{
    return describe({.kind = intent.kind,
                     .card_id = intent.card_id,
                     .sequence = 0,
                     .amount = intent.amount,
                     .unit = currency.unit,
                     .nonce = {},
                     .account = intent.account,
                     .parameter = intent.parameter},
                    currency);
}

Report report_of(const std::vector<Drained>& drained, const Currency& currency)
{
    Report all{"", {{"operations", Json::array()}}, exit_code::done};
    for (const auto& one : drained) {
        auto report = of_one(one, currency);
        report.json["id"] = one.entry.intent.id.to_string();
        if (one.entry.operation) report.json["operation"] = to_json(*one.entry.operation, currency);
        all.text += (all.text.empty() ? "" : "\n") + report.text;
        all.json["operations"].push_back(report.json);
        all.exit = std::max(all.exit, report.exit);
    }
    return all;
}
