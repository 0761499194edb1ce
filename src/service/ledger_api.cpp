// SPDX-License-Identifier: Apache-2.0
// The ledger as JSON: entries and proofs.
#include "api.hpp"

namespace tallycard::service::api {
namespace {

using https::Json;

constexpr std::uint64_t most_entries = 256, anything = ~std::uint64_t{0};

Json list_of(const std::vector<Digest>& digests)
{
    auto list = Json::array();
    for (const auto& digest : digests) list.push_back(digest.to_string());
    return list;
}

Answer answer_proof(const Result<InclusionProof>& proof)
{
    if (!proof) return refusal(proof.error());
    return json({{"index", proof->index},
                 {"entry", https::to_json(proof->entry)},
                 {"path", list_of(proof->path)},
                 {"size", proof->head.size},
                 {"root", proof->head.root.to_string()}});
}

}  // namespace

Answer checkpoint(Works& works, const Call& call)
{
    Parameters parameters(call);
    if (!parameters.finish()) return malformed(parameters.problem());
    const auto note = published(works);
    if (!note) return refusal(note.error());
    const auto& issuer = works.platform.issuer();
    const auto opened = Checkpoint::open_cosigned(*note, issuer.origin, issuer.checkpoint_key);
    if (!opened) return refusal(opened.error());
    return json({{"origin", opened->origin},
                 {"size", opened->head.size},
                 {"root", opened->head.root.to_string()},
                 {"note", *note}});
}

Answer entries(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto from = parameters.number("from", anything).value_or(0);
    const auto limit = parameters.number("limit", most_entries).value_or(most_entries);
    if (!parameters.finish()) return malformed(parameters.problem());
    const auto entries = works.platform.entries(from, limit);
    if (!entries) return refusal(entries.error());
    auto list = Json::array();
    for (const auto& entry : *entries) list.push_back(https::to_json(entry));
    Json found{{"from", from}};
    found["entries"] = std::move(list);
    return json(found);
}

Answer inclusion(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto index = parameters.number("index", anything);
    const auto card = parameters.word("card_id");
    const auto sequence = parameters.number("sequence", 0xFFFFFFFF);
    const auto id = card ? CardId::parse(*card) : std::nullopt;
    if (card && !id) parameters.refuse("card_id", "a card id is wanted");
    const bool by_card = card && sequence && !index, by_index = index && !card && !sequence;
    if (!by_card && !by_index)
        parameters.refuse("index", "either 'index', or 'card_id' and 'sequence' are wanted");
    if (!parameters.finish()) return malformed(parameters.problem());
    if (by_index) return answer_proof(works.platform.prove(*index));
    return answer_proof(works.platform.prove(*id, static_cast<std::uint32_t>(*sequence)));
}

// The head it leads to is read first: should the ledger grow in between, the proof is made anew.
Answer consistency(Works& works, const Call& call)
{
    Parameters parameters(call);
    const auto from = parameters.number("from", anything);
    if (!from) parameters.refuse("from", "missing");
    if (!parameters.finish()) return malformed(parameters.problem());
    for (;;) {
        const auto head = works.platform.ledger_head();
        if (!head) return refusal(head.error());
        const auto path = works.platform.prove_consistency(*from);
        if (!path) return refusal(path.error());
        const auto after = works.platform.ledger_head();
        if (!after) return refusal(after.error());
        if (after->size != head->size) continue;
        return json({{"from", *from},
                     {"size", head->size},
                     {"root", head->root.to_string()},
                     {"path", list_of(*path)}});
    }
}

}  // namespace tallycard::service::api
