// SPDX-License-Identifier: Apache-2.0
// Results that are kept, and the gaps in front of them.
#include "api.hpp"

namespace tallycard::service::api {
namespace {

using https::Json;
using https::KeptResults;

constexpr std::uint64_t most_cards = 100, usual_cards = 50;

Result<std::vector<KeptResults>> kept_by_card(Platform& platform,
                                              const std::optional<CardId>& after,
                                              std::uint64_t limit)
{
    const auto cards = platform.cards_with_kept(after, limit);
    if (!cards) return cards.error();
    std::vector<KeptResults> found;
    for (const auto& card_id : *cards) {
        const auto rows = platform.kept(card_id);
        if (!rows) return rows.error();
        found.push_back({.card_id = card_id, .rows = *rows});
    }
    return found;
}

}  // namespace

Answer kept(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto limit = parameters.limit(most_cards, usual_cards);
    const auto text = parameters.word("after");
    const auto after = text ? CardId::parse(*text) : std::nullopt;
    if (text && !after) parameters.refuse("after", "a card id is wanted");
    if (!parameters.finish()) return malformed(parameters.problem());
    return page("cards", kept_by_card(works.platform, after, limit), limit,
                [](const KeptResults& card) { return card.card_id.to_string(); });
}

Answer gaps(Works& works, const Call& call)
{
    return with<CardId>("card_id", call.captured[0], [&](const CardId& id) {
        const auto rows = works.platform.gaps(id);
        if (!rows) return refusal(rows.error());
        auto list = Json::array();
        for (const auto& row : *rows) list.push_back(https::to_json(row));
        Json found;
        found["gaps"] = std::move(list);
        return json(found);
    });
}

Answer close_gaps(Works& works, const Call& call)
{
    return with_empty_body(call.body, [&] {
        const auto made = works.gaps.close();
        return made ? json({{"made", *made}}) : refusal(made.error());
    });
}

}  // namespace tallycard::service::api
