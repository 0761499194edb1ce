// SPDX-License-Identifier: Apache-2.0
#include "witness.hpp"

#include <algorithm>
#include <utility>

#include <tallycard/merkle.hpp>

#include "../issuer/add_checkpoint.hpp"
#include "../issuer/signed_note.hpp"

namespace tallycard::witness {
namespace {

Answer answered(Verdict verdict, std::string_view origin, std::uint64_t size = 0)
{
    return {.verdict = verdict,
            .lines = {},
            .origin = std::string(origin),
            .size = size,
            .note = {},
            .error = {}};
}

Answer malformed(const Error& error)
{
    auto answer = answered(Verdict::malformed, {});
    answer.error = error;
    return answer;
}

Answer failed(std::string_view origin, const Error& error)
{
    auto answer = answered(Verdict::failed, origin);
    answer.error = error;
    return answer;
}

// The proof is empty where there is nothing that it would start from.
bool continues(const merkle::Head& known, const merkle::Head& next, std::span<const Digest> proof)
{
    if (next.size == 0 && next.root != merkle::Frontier().root()) return false;
    if (known.size == 0) return proof.empty();
    return merkle::verify_consistency(known, next, proof);
}

}  // namespace

Witness::Witness(CosignerKey key, std::vector<NoteKey> logs, State state, Clock clock)
    : key_(std::move(key)),
      logs_(std::move(logs)),
      state_(std::move(state)),
      clock_(std::move(clock))
{
}

void Witness::replace_logs(std::vector<NoteKey> logs)
{
    const std::lock_guard lock(mutex_);
    logs_ = std::move(logs);
}

// The note as its log alone signed it; empty: it did not.
std::string Witness::signed_by_its_log(const SignedNote& note, std::string_view origin) const
{
    std::string kept;
    for (const auto& signature : note.signatures) {
        const bool is_the_logs = std::ranges::any_of(logs_, [&](const NoteKey& key) {
            return key.name == origin && verifies(signature, key, note.text);
        });
        if (is_the_logs) kept += signature.line;
    }
    if (kept.empty()) return kept;
    return std::string(note.text) + '\n' + kept;
}

Answer Witness::add_checkpoint(std::string_view request)
{
    const auto asked = AddCheckpoint::parse(request);
    if (!asked) return malformed(asked.error());
    const auto note = SignedNote::parse(asked->note);
    if (!note) return malformed(note.error());
    const auto next = CheckpointText::parse(note->text);
    if (!next) return malformed(next.error());

    const std::lock_guard lock(mutex_);
    const auto origin = next->origin;
    if (std::ranges::find(logs_, origin, &NoteKey::name) == logs_.end())
        return answered(Verdict::unknown_log, origin);
    const auto kept = signed_by_its_log(*note, origin);
    if (kept.empty()) return answered(Verdict::not_signed, origin);
    if (asked->old_size > next->head.size)
        return malformed({.code = Errc::malformed, .where = "old size"});
    const auto known = state_.newest(origin);
    if (!known) return failed(origin, known.error());
    const auto before = known->value_or(merkle::Head{});
    if (asked->old_size != before.size) return answered(Verdict::other_size, origin, before.size);
    const bool forked = *known && next->head.size == before.size && next->head.root != before.root;
    if (forked || !continues(before, next->head, asked->proof)) {
        auto answer =
            answered(forked ? Verdict::forked : Verdict::inconsistent, origin, before.size);
        answer.note = kept;
        return answer;
    }

    // Also where nothing changes: that it is on the disk is certain only when this has returned.
    if (const auto put = state_.put(origin, kept); !put) return failed(origin, put.error());
    auto answer = answered(Verdict::cosigned, origin, next->head.size);
    answer.lines = key_.cosign(note->text, clock_());
    return answer;
}

}  // namespace tallycard::witness
