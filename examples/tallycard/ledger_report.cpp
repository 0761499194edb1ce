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
    report.json["witnessed"] = {{"entries", found.witnessed->entries}, {"by", by}};
    report.text +=
        "\nwitnessed: the first " + counted(found.witnessed->entries, "entry") + ", by " + names;
}

namespace {

Json money(std::int64_t n, const Currency& currency)
{
    return amount_json(Amount::minor_units(n), currency);
}

Json fault_json(const LedgerFault& fault)
{
    Json json{{"line", fault.line}, {"what", fault.what}};
    if (fault.card) {
        json["card"] = fault.card->to_string();
        json["sequence"] = fault.sequence;
    }
    if (fault.account) json["account"] = std::string(fault.account->text());
    return json;
}

std::string describe(const LedgerFault& fault)
{
    std::string text = "the ledger is wrong: line " + std::to_string(fault.line);
    if (fault.card) {
        text +=
            ", card " + fault.card->to_string() + ", sequence " + std::to_string(fault.sequence);
    }
    if (fault.account) text += ", account " + std::string(fault.account->text());
    return text + ": " + fault.what;
}

// The list that every reader of an audit has to see: what happened without an owner's word, and
// what was lost.
class Listing {
public:
    Listing(const LedgerReport& found, const Currency& currency)
        : found_(&found), currency_(&currency)
    {
    }

    std::string text()
    {
        for (const auto& act : found_->without_the_owner) {
            line(act.line, std::string("without the owner: ") + name(act.kind) + ' ' +
                               named(act.account) + ' ' + units(act.amount) + ", \"" +
                               std::string(act.reference.text()) + '"');
        }
        for (const auto& [card, loss] : found_->losses)
            text_ += "\nloss: card " + card.to_string() + ' ' + units(loss);
        for (const auto& row : found_->written_off) {
            line(row.line, "loss: written off for account " + named(row.account) + ", card " +
                               row.card.to_string() + ' ' + units(row.amount));
        }
        for (const auto& gap : found_->gaps) {
            line(gap.line, "gap: card " + gap.card.to_string() + ", sequences " +
                               std::to_string(gap.first) + " to " + std::to_string(gap.last) +
                               ", moved " + units(gap.moved) + ", left " + units(gap.left));
        }
        for (const auto& claim : found_->claims) {
            line(claim.line, "claim: account " + named(claim.account) + " was opened with " +
                                 units(claim.amount));
        }
        for (const auto& [account, balance] : found_->unclaimed)
            text_ += "\nunclaimed: account " + named(account) + ' ' + units(balance);
        return text_;
    }

    void put_into(Json& json) const
    {
        const auto list = [&](const char* key) -> Json& { return json[key] = Json::array(); };
        auto& acts = list("without_the_owner");
        for (const auto& act : found_->without_the_owner) {
            acts.push_back({{"line", act.line},
                            {"time", utc(act.time)},
                            {"kind", name(act.kind)},
                            {"account", named(act.account)},
                            {"amount", amount(act.amount)},
                            {"reference", std::string(act.reference.text())}});
        }
        auto& losses = list("losses");
        for (const auto& [card, loss] : found_->losses)
            losses.push_back({{"card", card.to_string()}, {"amount", amount(loss)}});
        auto& written_off = list("written_off");
        for (const auto& row : found_->written_off) {
            written_off.push_back({{"line", row.line},
                                   {"card", row.card.to_string()},
                                   {"account", named(row.account)},
                                   {"amount", amount(row.amount)}});
        }
        auto& gaps = list("gaps");
        for (const auto& gap : found_->gaps) {
            gaps.push_back({{"line", gap.line},
                            {"card", gap.card.to_string()},
                            {"from", gap.first},
                            {"to", gap.last},
                            {"moved", amount(gap.moved)},
                            {"left", amount(gap.left)},
                            {"settled_late", gap.settled_late}});
        }
        auto& claims = list("claims");
        for (const auto& claim : found_->claims) {
            claims.push_back({{"line", claim.line},
                              {"time", utc(claim.time)},
                              {"account", named(claim.account)},
                              {"amount", amount(claim.amount)}});
        }
        auto& unclaimed = list("unclaimed");
        for (const auto& [account, balance] : found_->unclaimed)
            unclaimed.push_back({{"account", named(account)}, {"amount", amount(balance)}});
        auto& denied = list("denied");
        for (const auto& card : found_->denied) denied.push_back(card.to_string());
        auto& kinds = json["kinds"] = Json::object();
        for (const auto& [kind, entries] : found_->kinds)
            kinds[kind] = {{"count", entries.count}, {"sum", amount(entries.sum)}};
    }

private:
    static std::string named(const AccountId& account) { return std::string(account.text()); }
    std::string units(std::int64_t n) const
    {
        return to_string(Amount::minor_units(n), *currency_);
    }
    Json amount(std::int64_t n) const { return money(n, *currency_); }
    void line(std::uint64_t number, const std::string& words)
    {
        text_ += "\nline " + std::to_string(number) + ", " + words;
    }

    const LedgerReport* found_;
    const Currency* currency_;
    std::string text_;
};

}  // namespace

Report verified(const LedgerReport& found, const Currency& currency)
{
    const auto units = [&](std::int64_t n) { return money(n, currency); };
    Json json{{"valid", !found.fault},
              {"cards", found.cards},
              {"entries", found.entries},
              {"accounts", found.accounts},
              {"root", found.checkpoint.head.root.to_string()}};
    if (found.fault) {
        json["fault"] = fault_json(*found.fault);
        return {describe(*found.fault), json, exit_code::refused};
    }
    json["on_cards"] = units(found.on_cards);
    json["recovered"] = units(found.recovered);
    json["in_accounts"] = units(found.in_accounts);
    json["unaccounted"] = units(found.unaccounted);
    json["cash"] = units(found.cash);
    json["outside"] = units(found.outside);
    if (found.from) json["from"] = utc(*found.from);
    if (found.to) json["to"] = utc(*found.to);
    Listing listing(found, currency);
    listing.put_into(json);
    const auto text = [&](std::int64_t n) { return to_string(Amount::minor_units(n), currency); };
    return {"the ledger is right: " + counted(found.entries, "entry") + ", " +
                counted(found.cards, "card") + "; " + text(found.on_cards) + " on cards, " +
                text(found.in_accounts) + " in accounts, " + text(found.cash) + " cash, " +
                text(found.outside) + " outside; root " + found.checkpoint.head.root.to_string() +
                listing.text(),
            json, exit_code::done};
}

void report_missing(Report& report, const std::string& checkpoint)
{
    report.json["checkpoint_missing"] = true;
    report.text += "\nnote: there was no " + checkpoint +
                   ", so that an old copy of the store would not have been noticed; there is one "
                   "now. If an earlier one was lost, check again with --known and its published "
                   "copy";
}
