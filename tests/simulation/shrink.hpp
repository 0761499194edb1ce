// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "plan.hpp"

namespace simulation {

// How a plan failed.
struct Failure {
    std::string invariant, what;
    std::size_t step = 0;  // the plan's size: at the end
};

// Runs a plan in a world of its own.
std::optional<Failure> run_plan(const Plan& plan, const std::string& folder);

// The shortest plan found that breaks the same invariant: steps and faults are left out for as long
// as it does. At most `runs` worlds.
Plan shrink(Plan plan, const Failure& failure, const std::string& folder, int runs = 600);

}  // namespace simulation
