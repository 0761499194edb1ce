// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tallycard/fault_plan.hpp>

namespace tallycard::fault {

// Counts commands and says which fault of a plan is due. The same plan and the same commands give
// the same faults on every machine. Not thread-safe.
class Schedule {
public:
    explicit Schedule(const FaultPlan& plan);
    // Counts this command. The first fault of the plan that is due for it.
    std::optional<PlannedFault> next(std::span<const std::uint8_t> command);
    std::size_t fired() const { return fired_; }

private:
    struct Entry {
        PlannedFault fault;
        std::uint64_t random;  // state of its generator
    };
    bool is_due(Entry& entry, std::uint8_t ins);

    std::vector<Entry> entries_;
    std::uint64_t commands_ = 0;
    std::array<std::uint64_t, 256> commands_of_{};  // by instruction
    std::size_t fired_ = 0;
};

}  // namespace tallycard::fault
