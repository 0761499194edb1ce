// SPDX-License-Identifier: Apache-2.0
// Cards, what is held against them, and who may not be served.
#include <tallycard/verify.hpp>

#include "api.hpp"

namespace tallycard::service::api {
namespace {

using https::Json;

constexpr std::uint64_t most_rows = 1000, usual_rows = 200, most_lines = 10'000;

template <class Change>
Answer change_card(const Call& call, Change&& change)
{
    return with<CardId>("card_id", call.captured[0], [&](const CardId& id) {
        return with_empty_body(call.body, [&] { return answer(change(id)); });
    });
}

template <class Row>
Answer answer_row(const Result<std::optional<Row>>& row)
{
    if (!row) return refusal(row.error());
    if (!*row) return refusal({.code = Errc::unknown_card, .where = "platform"});
    return json(https::to_json(**row));
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
    const auto limit = parameters.limit(most_rows, usual_rows);
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

Answer lost(Works& works, const Call& call)
{
    return change_card(call, [&](const CardId& id) { return works.platform.declare_lost(id); });
}

Answer recoverable(Works& works, const Call& call)
{
    return with<CardId>("card_id", call.captured[0],
                        [&](const CardId& id) { return answer(works.platform.recoverable(id)); });
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

// A part of the list at a time; the note is on the whole of it.
Answer deny_list(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto from = parameters.number("from", ~std::uint64_t{0}).value_or(0);
    if (!parameters.finish()) return malformed(parameters.problem());
    if (works.key == nullptr)
        return refusal({.code = Errc::file_missing, .where = "checkpoint key"});
    auto update = works.platform.deny_list(from, *works.key);
    if (!update) return refusal(update.error());
    https::DenyListPart part{.update = std::move(*update)};
    auto& lines = part.update.lines;
    if (lines.size() > most_lines) {
        lines.resize(most_lines);
        part.next = from + most_lines;
    }
    return json(https::to_json(part));
}

}  // namespace tallycard::service::api
