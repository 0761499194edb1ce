// SPDX-License-Identifier: Apache-2.0
// A witness in the hands of a log that lies: checkpoints of two branches, with any sizes, any
// proofs and bytes changed, in any order. What it cosigns is one branch, and grows. And texts of
// strangers: requests, cosigned notes, keys, policies.
#include <array>
#include <filesystem>

#include <tallycard/witness_policy.hpp>

#include "../../src/witness/witness.hpp"
#include "fuzz.hpp"
#include "input.hpp"
#include "scratch.hpp"
// What it includes is named from the folder of the sources.
#include "../support/log_tree.hpp"

using namespace tallycard;
using fuzz::Input;
using test::LogTree;
using witness::Verdict;

namespace {

constexpr std::size_t largest = 12, common = 5, most_steps = 16;

CosignerKey cosigner()
{
    std::array<std::uint8_t, KeySeed::size> seed{7};
    return {"witness.test/w", KeySeed(seed)};
}

const std::array<LogTree, 2>& branches()
{
    static const std::array<LogTree, 2> trees = {LogTree("log.test", largest, "a", common),
                                                 LogTree("log.test", largest, "b", common)};
    return trees;
}

// The request that an honest log would make, of sizes that it may not have asked for.
std::string request_of(Input& input)
{
    const auto& branch = branches()[input.below(2)];
    const auto from = input.below(largest + 1), to = input.below(largest + 1);
    auto request = branch.request(from, to);
    if (input.one_in(3)) {
        fuzz::Bytes bytes(request.begin(), request.end());
        fuzz::edit(bytes, input);
        request = fuzz::text(bytes);
    }
    return request;
}

// The branches that have this checkpoint.
unsigned owners(const merkle::Head& head)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < branches().size(); ++i)
        if (head.size <= largest && branches()[i].head(head.size) == head) mask |= 1U << i;
    return mask;
}

void lying_log(Input& input)
{
    const auto folder = fuzz::scratch().file("state");
    std::filesystem::remove_all(folder);
    std::optional<merkle::Head> known;
    unsigned branch = 3;  // those that it may still be
    for (std::size_t step = 0; step < most_steps && !input.empty(); ++step) {
        // Another process each time.
        witness::Witness witness(cosigner(), {branches()[0].key()},
                                 witness::State::open(folder).value(), [] { return 1; });
        const auto answer = witness.add_checkpoint(request_of(input));
        const auto now = witness::newest_in(folder, "log.test").value();
        if (answer.verdict != Verdict::cosigned) {
            FUZZ_CHECK(answer.lines.empty() && now == known);
            FUZZ_CHECK(answer.verdict != Verdict::failed);
            continue;
        }
        FUZZ_CHECK(now && now->size == answer.size);
        FUZZ_CHECK(!known || now->size >= known->size);
        branch &= owners(*now);
        FUZZ_CHECK(branch != 0);
        known = now;
    }
}

void request_text(std::string_view text)
{
    const auto request = AddCheckpoint::parse(text);
    if (request) FUZZ_CHECK(request->to_text() == text);
    if (!request) FUZZ_CHECK(request.error().detail <= text.size());
}

// Behind a genuine checkpoint, so that the lines are looked into.
void note_text(std::string_view lines)
{
    const auto policy =
        WitnessPolicy::parse("witness w " + cosigner().verifier().to_string() + "\nquorum w\n")
            .value();
    const auto text = branches()[0].note(3);
    const auto body = std::string(SignedNote::parse(text)->text);
    const auto genuine = cosigner().cosign(body, 5);
    const auto note = text + std::string(lines);
    const auto found = policy.check(note);
    if (found) FUZZ_CHECK(found->size() == 1 && note.find(genuine.substr(0, 30)) != note.npos);
    const auto both = policy.check(text + genuine + std::string(lines));
    if (!both) {
        const auto code = both.error().code;
        FUZZ_CHECK(code == Errc::malformed || code == Errc::bad_signature ||
                   code == Errc::witnesses_missing);
    }
    const auto key = branches()[0].key();
    if (const auto opened = Checkpoint::open_cosigned(note, key.name, key.key))
        FUZZ_CHECK(opened->head == branches()[0].head(3));
    (void)SignedNote::parse(lines);
    (void)CheckpointText::parse(lines);
}

void policy_text(std::string_view text)
{
    if (const auto key = NoteKey::parse(text)) FUZZ_CHECK(key->to_string() == text);
    const auto policy = WitnessPolicy::parse(text);
    if (!policy) {
        FUZZ_CHECK(policy.error().code == Errc::file_malformed);
        return;
    }
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < policy->witnesses().size(); ++i) all.push_back(i);
    FUZZ_CHECK(policy->is_met_by(all));
    if (!policy->is_met_by({})) FUZZ_CHECK(!all.empty());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Input input(data, size);
    switch (input.below(4)) {
    case 0: lying_log(input); break;
    case 1: request_text(fuzz::text(input.rest())); break;
    case 2: note_text(fuzz::text(input.rest())); break;
    default: policy_text(fuzz::text(input.rest()));
    }
    return 0;
}
