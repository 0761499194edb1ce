// SPDX-License-Identifier: Apache-2.0
#include "plan.hpp"

#include <algorithm>
#include <array>

#include "random.hpp"

namespace simulation {
namespace {

struct ActionRow {
    const char* name;
    unsigned weight;
};

constexpr ActionRow action_rows[actions] = {
    {"top_up", 14},
    {"cash_out", 8},
    {"transfer_in", 8},
    {"transfer_out", 8},
    {"card_to_card", 3},
    {"pay", 16},
    {"administer", 6},
    {"resolve", 9},
    {"void_pending", 5},
    {"ask_again", 14},
    {"forward", 6},
    {"deliver_late", 5},
    {"replay_to_card", 6},
    {"made_up_to_card", 5},
    {"replay_to_platform", 4},
    {"made_up_to_platform", 3},
    {"verify_pin", 2},
    {"deny", 1},
    {"undeny", 2},
    {"checkpoint", 4},
    {"back_up", 3},
    {"restore_backup", 4},
    {"restart_platform", 2},
    {"lose_power", 3},
    {"kill_terminal", 1},
    {"clone_card", 1},
    {"keep_image", 3},
    {"roll_back_card", 2},
    {"issue_card", 1},
    {"refund", 6},
    {"order", 12},
    {"operate", 7},
    {"misuse_consent", 4},
    {"forge_order", 4},
    {"spend_unseen", 9},
    {"late_receipts", 7},
    {"declare_lost", 3},
    {"recover", 6},
    {"write_off", 3},
    {"wait", 6},
    {"close_gaps", 3},
    {"fetch_deny_list", 2},
};

// How many events of a place a step has at most, about.
constexpr std::array<std::uint64_t, 7> typical = {6, 18, 8, 8, 60, 14, 3};

Action pick_action(Random& random)
{
    unsigned total = 0;
    for (const auto& row : action_rows) total += row.weight;
    auto at = random.below(total);
    for (std::size_t i = 0;; ++i) {
        if (at < action_rows[i].weight) return static_cast<Action>(i);
        at -= action_rows[i].weight;
    }
}

Fault pick_fault(Random& random, const std::vector<FaultKind>& kinds)
{
    const auto kind = kinds[random.below(kinds.size())];
    const auto most = typical[static_cast<std::size_t>(place_of(kind))];
    // Early events exist in every step, late ones in few.
    const auto at = random.below(1 + random.below(most));
    return {kind, static_cast<std::uint32_t>(at), random.next()};
}

std::int64_t pick_amount(Random& random)
{
    constexpr std::array<std::int64_t, 8> edges = {1, 2, 4999, 5000, 5001, 20000, 20001, 100000};
    if (random.one_in(4)) return random.one_in(2) ? 100 : 250;  // alike: clones agree by chance
    if (random.one_in(10)) return edges[random.below(edges.size())];
    return 1 + static_cast<std::int64_t>(random.below(random.one_in(6) ? 6000 : 900));
}

Step pick_step(Random& random)
{
    Step step;
    step.action = pick_action(random);
    step.seed = random.next();
    step.terminal = static_cast<std::uint32_t>(random.below(100));
    step.card = static_cast<std::uint32_t>(random.below(100));
    step.other = static_cast<std::uint32_t>(random.below(100));
    step.amount = pick_amount(random);
    return step;
}

// Each world has some kinds of faults only: what hides one another then shows.
std::vector<FaultKind> pick_kinds(Random& random)
{
    std::vector<FaultKind> kinds;
    const auto keep = 2 + random.below(5);
    for (std::size_t i = 0; i < fault_kinds; ++i)
        if (random.one_in(keep)) kinds.push_back(static_cast<FaultKind>(i));
    if (kinds.empty()) kinds.push_back(static_cast<FaultKind>(random.below(fault_kinds)));
    return kinds;
}

}  // namespace

const char* name(Action action)
{
    return action_rows[static_cast<std::size_t>(action)].name;
}

std::size_t Plan::faults() const
{
    std::size_t count = 0;
    for (const auto& step : steps) count += step.faults.size();
    return count;
}

Plan make_plan(std::uint64_t seed)
{
    Random random(seed * 0x2545F4914F6CDD1D + 1);
    Plan plan{seed, {}};
    const auto kinds = pick_kinds(random);
    const auto length = 15 + random.below(50);
    const bool honest = random.one_in(2);   // clones hide what happens to their cards
    const bool careful = random.one_in(2);  // lost cards take part in little else
    const auto cards = 1 + random.below(3);
    while (plan.steps.size() < length) {
        auto step = pick_step(random);
        const bool forks =
            step.action == Action::clone_card || step.action == Action::roll_back_card;
        const bool loses = step.action == Action::spend_unseen ||
                           step.action == Action::declare_lost || step.action == Action::recover ||
                           step.action == Action::write_off;
        if ((honest && forks) || (careful && loses)) continue;
        step.card = static_cast<std::uint32_t>(step.card % cards);
        if (random.below(100) < 60)
            for (auto more = 1 + random.below(4); more > 0; --more)
                step.faults.push_back(pick_fault(random, kinds));
        plan.steps.push_back(std::move(step));
    }
    return plan;
}

Step make_intrusion(std::uint64_t seed)
{
    Random random(seed);
    constexpr std::array<Action, 9> possible = {
        Action::top_up,    Action::cash_out,    Action::pay,
        Action::resolve,   Action::transfer_in, Action::void_pending,
        Action::ask_again, Action::order,       Action::refund};
    auto step = pick_step(random);
    step.action = possible[random.below(possible.size())];
    return step;
}

std::string to_string(const Step& step)
{
    auto text = std::string(name(step.action)) + " terminal " + std::to_string(step.terminal) +
                " card " + std::to_string(step.card) + " other " + std::to_string(step.other) +
                " amount " + std::to_string(step.amount);
    for (const auto& fault : step.faults)
        text += std::string("\n      with ") + name(fault.kind) + " at " +
                std::to_string(fault.at) + " value " + std::to_string(fault.value);
    return text;
}

}  // namespace simulation
