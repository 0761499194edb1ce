// SPDX-License-Identifier: Apache-2.0
#include "shrink.hpp"

#include <algorithm>

#include "world.hpp"

namespace simulation {
namespace {

class Shrinker {
public:
    Shrinker(Plan plan, const Failure& failure, const std::string& folder, int runs)
        : plan_(std::move(plan)), invariant_(failure.invariant), folder_(folder), runs_(runs)
    {
    }

    Plan shrink(std::size_t failed_at)
    {
        if (failed_at + 1 < plan_.steps.size()) {
            auto shorter = plan_;
            shorter.steps.resize(failed_at + 1);
            keep_if_it_fails(shorter);
        }
        for (bool shorter = true; shorter && runs_ > 0;) shorter = drop_steps() || drop_faults();
        return plan_;
    }

private:
    bool keep_if_it_fails(const Plan& candidate)
    {
        if (runs_-- <= 0) return false;
        const auto failure = run_plan(candidate, folder_);
        if (!failure || failure->invariant != invariant_) return false;
        plan_ = candidate;
        return true;
    }

    // Halves first, single steps last.
    bool drop_steps()
    {
        bool dropped = false;
        for (auto size = std::max<std::size_t>(1, plan_.steps.size() / 2); size > 0; size /= 2) {
            for (std::size_t from = 0; from < plan_.steps.size();) {
                auto shorter = plan_;
                const auto begin = shorter.steps.begin() + static_cast<std::ptrdiff_t>(from);
                const auto count = std::min(size, shorter.steps.size() - from);
                shorter.steps.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
                if (keep_if_it_fails(shorter)) {
                    dropped = true;
                } else {
                    from += count;
                }
            }
        }
        return dropped;
    }

    bool drop_faults()
    {
        bool dropped = false;
        for (std::size_t step = 0; step < plan_.steps.size(); ++step) {
            for (std::size_t fault = 0; fault < plan_.steps[step].faults.size();) {
                auto shorter = plan_;
                auto& faults = shorter.steps[step].faults;
                faults.erase(faults.begin() + static_cast<std::ptrdiff_t>(fault));
                if (keep_if_it_fails(shorter)) {
                    dropped = true;
                } else {
                    ++fault;
                }
            }
        }
        return dropped;
    }

    Plan plan_;
    std::string invariant_;
    const std::string& folder_;
    int runs_;
};

}  // namespace

std::optional<Failure> run_plan(const Plan& plan, const std::string& folder)
{
    World world(plan, folder);
    try {
        world.run();
    } catch (const Violation& violation) {
        return Failure{violation.invariant, violation.what(), world.step_number()};
    }
    return std::nullopt;
}

Plan shrink(Plan plan, const Failure& failure, const std::string& folder, int runs)
{
    return Shrinker(std::move(plan), failure, folder, runs).shrink(failure.step);
}

}  // namespace simulation
