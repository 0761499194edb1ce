// SPDX-License-Identifier: Apache-2.0
// What worlds have found, as plans of their own.
#include <catch2/catch.hpp>

#include "random.hpp"
#include "shrink.hpp"
#include "support/temporary_folder.hpp"

using namespace simulation;

namespace {

Step step_of(Action action, std::uint64_t seed, std::vector<Fault> faults = {})
{
    Step step;
    step.action = action;
    step.seed = seed;
    step.faults = std::move(faults);
    return step;
}

Step top_up(std::uint64_t seed, std::int64_t amount, std::vector<Fault> faults)
{
    auto step = step_of(Action::top_up, seed, std::move(faults));
    step.amount = amount;
    return step;
}

}  // namespace

// SQLite says that a commit failed; the disk has all of it, and the platform finds it when it is
// started again. The terminal must not have said meanwhile that nothing will happen.
TEST_CASE("an operation whose commit failed is in doubt, since a crash may bring it back")
{
    take_over_library_randomness();
    const tallycard::test::TemporaryFolder folder;
    int worlds = 0;
    for (const auto kind : {FaultKind::disk_full, FaultKind::disk_read_only, FaultKind::sync_fails})
        for (std::uint32_t at = 0; at < 16; ++at)
            for (std::uint64_t luck = 1; luck <= 3; ++luck) {
                CAPTURE(name(kind), at, luck);
                const Plan plan{7,
                                {top_up(100 + luck, 765, {{kind, at, luck}}),
                                 top_up(200 + luck, 5001,
                                        {{FaultKind::platform_crash_at_statement, 2, luck}})}};
                const auto failure = run_plan(plan, folder.file(""));
                ++worlds;
                CHECK_FALSE(failure.has_value());
            }
    CHECK(worlds == 144);
}

// The card was never on the list as far as the store shows: taking it off changes nothing, and yet
// has to outlive the commit that failed before.
TEST_CASE("what was told after a failed commit stays true after a crash")
{
    take_over_library_randomness();
    const tallycard::test::TemporaryFolder folder;
    for (const auto kind : {FaultKind::disk_full, FaultKind::disk_read_only, FaultKind::sync_fails})
        for (std::uint32_t at = 0; at < 12; ++at)
            for (std::uint64_t luck = 1; luck <= 6; ++luck) {
                CAPTURE(name(kind), at, luck);
                const Plan plan{5,
                                {step_of(Action::deny, 100 + luck, {{kind, at, luck}}),
                                 step_of(Action::undeny, 200 + luck),
                                 step_of(Action::restart_platform, 300 + luck,
                                         {{FaultKind::platform_crash_at_write, 3, luck}})}};
                CHECK_FALSE(run_plan(plan, folder.file("")).has_value());
            }
}

// The terminal asks again and learns nothing of the operation: that answer only reads.
TEST_CASE("what a platform reads after a failed commit stays true after a crash")
{
    take_over_library_randomness();
    const tallycard::test::TemporaryFolder folder;
    int worlds = 0;
    for (const auto kind : {FaultKind::disk_full, FaultKind::disk_read_only, FaultKind::sync_fails})
        for (std::uint32_t at = 0; at < 16; ++at)
            for (std::uint64_t luck = 1; luck <= 4; ++luck) {
                CAPTURE(name(kind), at, luck);
                auto transfer = step_of(Action::transfer_out, 100 + luck, {{kind, at, luck}});
                transfer.amount = 148;
                const Plan plan{
                    350415,
                    {transfer,
                     step_of(Action::ask_again, 200 + luck, {{FaultKind::cut_garbage, 0, luck}}),
                     step_of(Action::restart_platform, 300 + luck,
                             {{FaultKind::platform_crash_at_write, 0, luck}})}};
                ++worlds;
                CHECK_FALSE(run_plan(plan, folder.file("")).has_value());
            }
    CHECK(worlds == 192);
}
