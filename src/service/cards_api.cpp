// SPDX-License-Identifier: Apache-2.0
// What operators and auditors ask: cards, accounts, evidence.
#include <tallycard/verify.hpp>

#include "api.hpp"

namespace tallycard::service::api {
namespace {

using https::Json;
using https::Problem;

constexpr std::uint64_t most_rows = 1000, usual_rows = 200;

std::optional<AccountId> read_account(const Json& json, Problem& problem)
{
    https::Fields fields(json, problem);
    const auto account = fields.parsed<AccountId>("account");
    if (!fields.finish()) return std::nullopt;
    return account;
}

template <class Change>
Answer change_card(const Call& call, Change&& change)
{
    return with<CardId>("card_id", call.captured[0], [&](const CardId& id) {
        return with_body(
            call.body,
            [](const Json& json, Problem& problem) -> std::optional<bool> {
                if (!https::Fields(json, problem).finish()) return std::nullopt;
                return true;
            },
            [&](bool) { return answer(change(id)); });
    });
}

template <class Row>
Answer answer_row(const Result<std::optional<Row>>& row)
{
    if (!row) return refusal(row.error());
    if (!*row) return refusal({.code = Errc::unknown_card, .where = "platform"});
    return json(https::to_json(**row));
}

// "cash/T1", "associated/SHOP-1": where a page of accounts begins.
std::optional<AccountName> account_name(std::string_view text)
{
    const auto slash = std::min(text.find('/'), text.size());
    const auto kind = text.substr(0, slash);
    if (slash == text.size() || (kind != "cash" && kind != "associated")) return std::nullopt;
    const auto id = AccountId::parse(text.substr(slash + 1));
    if (!id) return std::nullopt;
    return AccountName{.kind = kind == "cash" ? AccountKind::cash : AccountKind::associated,
                       .id = *id};
}

std::string text_of(const AccountName& name)
{
    return std::string(name.kind == AccountKind::cash ? "cash/" : "associated/") +
           std::string(name.id.text());
}

// Rows as {"cards": [...], "next": "..."}; `next` where there may be more.
template <class Row, class NameOf>
Answer page(const char* name, const Result<std::vector<Row>>& rows, std::uint64_t limit,
            NameOf&& name_of)
{
    if (!rows) return refusal(rows.error());
    auto list = Json::array();
    for (const auto& row : *rows) list.push_back(https::to_json(row));
    Json page;
    page[name] = std::move(list);
    if (rows->size() == limit) page["next"] = name_of(rows->back());
    return json(page);
}

}  // namespace

Answer register_card(Works& works, const Call& call)
{
    return with_body(call.body, https::read_new_card, [&](const NewCard& card) {
        // A key that is not derived from the card root would be of a card that never signs.
        const auto key = derive_card_public_key(works.platform.issuer().card_root, card.card_id,
                                                card.certificate);
        if (!key) return refusal(key.error());
        if (*key != card.public_key)
            return refusal({.code = Errc::bad_signature, .where = "issue"});
        return answer(works.platform.register_card(card));
    });
}

Answer confirm_card(Works& works, const Call& call)
{
    return change_card(call, [&](const CardId& id) { return works.platform.confirm_card(id); });
}

Answer card_of_transport_key(Works& works, const Call& call)
{
    return with<Digest>("digest", call.captured[0], [&](const Digest& digest) {
        return answer_row(works.platform.card_of_transport_key(digest));
    });
}

Answer card(Works& works, const Call& call)
{
    return with<CardId>("card_id", call.captured[0],
                        [&](const CardId& id) { return answer_row(works.platform.card(id)); });
}

Answer cards(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto limit =
        std::max<std::uint64_t>(parameters.number("limit", most_rows).value_or(usual_rows), 1);
    const auto text = parameters.word("after");
    const auto after = text ? CardId::parse(*text) : std::nullopt;
    if (text && !after) parameters.refuse("after", "a card id is wanted");
    if (!parameters.finish()) return malformed(parameters.problem());
    return page("cards", works.platform.cards(after, limit), limit,
                [](const CardRow& row) { return row.card_id.to_string(); });
}

Answer deny(Works& works, const Call& call)
{
    return change_card(call, [&](const CardId& id) { return works.platform.deny(id); });
}

Answer undeny(Works& works, const Call& call)
{
    return change_card(call, [&](const CardId& id) { return works.platform.undeny(id); });
}

Answer accounts(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto limit =
        std::max<std::uint64_t>(parameters.number("limit", most_rows).value_or(usual_rows), 1);
    const auto text = parameters.word("after");
    const auto after = text ? account_name(*text) : std::nullopt;
    if (text && !after) parameters.refuse("after", "KIND/NAME is wanted");
    if (!parameters.finish()) return malformed(parameters.problem());
    return page("accounts", works.platform.accounts(after, limit), limit,
                [](const AccountRow& row) { return text_of(row.name); });
}

Answer open_account(Works& works, const Call& call)
{
    return with_body(call.body, read_account, [&](const AccountId& account) {
        return answer(works.platform.open_account(account));
    });
}

Answer evidence(Works& works, const Call& call)
{
    Parameters parameters(call);
    if (!parameters.finish()) return malformed(parameters.problem());
    const auto rows = works.platform.evidence();
    if (!rows) return refusal(rows.error());
    auto list = Json::array();
    for (const auto& row : *rows) {
        Json item{{"reason", name(row.reason)}, {"receipt", https::to_json(row.receipt)}};
        if (row.operation) item["operation"] = https::to_json(*row.operation);
        list.push_back(std::move(item));
    }
    Json found;
    found["evidence"] = std::move(list);
    return json(found);
}

}  // namespace tallycard::service::api
