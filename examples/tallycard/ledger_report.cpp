// SPDX-License-Identifier: Apache-2.0
#include "ledger_report.hpp"

using namespace tallycard;

void report_witnessed(Report& report, const LedgerReport& found, const WitnessPolicy& policy)
{
    auto by = Json::array();
    std::string names;
    for (const auto& cosignature : found.witnessed->cosignatures) {
        const auto& name = policy.witnesses()[cosignature.witness].name;
        by.push_back({{"witness", name}, {"time", cosignature.time}});
        names += (names.empty() ? "" : ", ") + name;
    }
    report.json["witnessed"] = {{"records", found.witnessed->records}, {"by", by}};
    report.text +=
        "\nwitnessed: the first " + counted(found.witnessed->records, "record") + ", by " + names;
}

Report verified(const LedgerReport& found, const Currency& currency)
{
    const auto units = [&](std::int64_t n) {
        return amount_json(Amount::minor_units(n), currency);
    };
    Json json{{"valid", !found.fault},
              {"cards", found.cards},
              {"records", found.records},
              {"accounts", found.accounts},
              {"on_cards", units(found.on_cards)},
              {"in_accounts", units(found.in_accounts)},
              {"cash", units(found.cash)},
              {"root", found.checkpoint.head.root.to_string()}};
    if (!found.fault) {
        const auto text = [&](std::int64_t n) {
            return to_string(Amount::minor_units(n), currency);
        };
        return {"the ledger is right: " + counted(found.records, "record") + " of " +
                    counted(found.cards, "card") + "; " + text(found.on_cards) + " on cards, " +
                    text(found.in_accounts) + " in accounts, " + text(found.cash) + " cash; root " +
                    found.checkpoint.head.root.to_string(),
                json, exit_code::done};
    }
    const auto& fault = *found.fault;
    std::string text = "the ledger is wrong: line " + std::to_string(fault.line);
    json["fault"] = {{"line", fault.line}, {"what", fault.what}};
    if (fault.card) {
        text +=
            ", card " + fault.card->to_string() + ", sequence " + std::to_string(fault.sequence);
        json["fault"]["card"] = fault.card->to_string();
        json["fault"]["sequence"] = fault.sequence;
    }
    return {text + ": " + fault.what, json, exit_code::refused};
}

void report_missing(Report& report, const std::string& checkpoint)
{
    report.json["checkpoint_missing"] = true;
    report.text += "\nnote: there was no " + checkpoint +
                   ", so that an old copy of the store would not have been noticed; there is one "
                   "now. If an earlier one was lost, check again with --known and its published "
                   "copy";
}
