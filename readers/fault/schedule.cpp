// SPDX-License-Identifier: Apache-2.0
#include "schedule.hpp"

namespace tallycard::fault {

namespace {

// SplitMix64: the generators of <random> are the same everywhere, its distributions are not.
std::uint64_t draw(std::uint64_t& state)
{
    state += 0x9E3779B97F4A7C15u;
    auto z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

}  // namespace

Schedule::Schedule(const FaultPlan& plan)
{
    auto seeds = plan.seed;
    for (const auto& fault : plan.faults) entries_.push_back({fault, draw(seeds)});
}

std::optional<PlannedFault> Schedule::next(std::span<const std::uint8_t> command)
{
    const std::uint8_t ins = command.size() > 1 ? command[1] : 0;
    ++commands_;
    ++commands_of_.at(ins);
    std::optional<PlannedFault> found;
    for (auto& entry : entries_) {
        if (is_due(entry, ins) && !found) found = entry.fault;
    }
    if (found) ++fired_;
    return found;
}

bool Schedule::is_due(Entry& entry, std::uint8_t ins)
{
    const auto& fault = entry.fault;
    if (fault.ins && *fault.ins != ins) return false;
    const auto count = fault.ins ? commands_of_.at(ins) : commands_;
    switch (fault.when) {
    case PlannedFault::When::at: return count == fault.number;
    case PlannedFault::When::every: return count % fault.number == 0;
    case PlannedFault::When::chance:
        return draw(entry.random) % PlannedFault::million < fault.number;
    }
    return false;
}

}  // namespace tallycard::fault
