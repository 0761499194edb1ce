// SPDX-License-Identifier: Apache-2.0
// The text of a fault plan, and which commands its faults meet.
#include <catch2/catch.hpp>

#include <array>
#include <set>

#include <tallycard/fault_plan.hpp>

#include "../../readers/fault/schedule.hpp"

using namespace tallycard;
using Kind = PlannedFault::Kind;
using When = PlannedFault::When;

namespace {

FaultPlan plan_of(const std::string& lines)
{
    return FaultPlan::parse("tallycard-faults 1\n" + lines).value();
}

// The numbers of the commands, from 1, that a fault meets. Every third one is an EXECUTE.
std::vector<int> met(const FaultPlan& plan, int commands)
{
    fault::Schedule schedule(plan);
    std::vector<int> found;
    for (int i = 1; i <= commands; ++i) {
        const std::array<std::uint8_t, 4> command = {
            0x80, i % 3 == 0 ? std::uint8_t(0x32) : std::uint8_t(0x84), 0, 0};
        if (schedule.next(command)) found.push_back(i);
    }
    CHECK(schedule.fired() == found.size());
    return found;
}

}  // namespace

TEST_CASE("a plan says what happens when", "[fault]")
{
    const auto plan = plan_of(
        "# a comment\n"
        "seed 7\n\n"
        "deadline 250\n"
        "at 3 lose-answer # another\n"
        "ins 32 every 2 drop 17\n"
        "ins e2 chance 2.5% status 6F00\n"
        "chance 100% remove-after\n"
        "at 1 remove-before 40");
    CHECK(plan.seed == 7);
    CHECK(plan.deadline == std::chrono::milliseconds(250));
    const std::vector<PlannedFault> expected = {
        {.kind = Kind::lose_answer, .when = When::at, .number = 3, .ins = {}, .value = 0},
        {.kind = Kind::drop, .when = When::every, .number = 2, .ins = 0x32, .value = 17},
        {.kind = Kind::status,
         .when = When::chance,
         .number = 25'000,
         .ins = 0xE2,
         .value = 0x6F00},
        {.kind = Kind::remove_after,
         .when = When::chance,
         .number = 1'000'000,
         .ins = {},
         .value = PlannedFault::for_good},
        {.kind = Kind::remove_before, .when = When::at, .number = 1, .ins = {}, .value = 40}};
    CHECK(plan.faults == expected);
}

TEST_CASE("every kind of fault has a name of its own that a plan reads", "[fault]")
{
    std::set<std::string> names;
    for (int i = 0; i <= static_cast<int>(Kind::unplug_after); ++i) {
        const auto kind = static_cast<Kind>(i);
        for (const char* value : {"", " 100", " 6F00"}) {
            const auto plan =
                FaultPlan::parse(std::string("tallycard-faults 1\nat 1 ") + name(kind) + value);
            if (!plan) continue;
            CHECK(plan->faults.at(0).kind == kind);
            names.insert(name(kind));
        }
    }
    CHECK(names.size() == 17);
}

TEST_CASE("an error of a plan names line and column", "[fault]")
{
    struct Case {
        const char* text;
        std::uint32_t line, column;
    };
    const Case cases[] = {
        {"", 0, 1},
        {"faults 1\n", 1, 1},
        {"tallycard-faults 2\n", 1, 18},
        {"tallycard-faults 1 x\n", 1, 20},
        {"tallycard-faults 1\nat 0 repeat\n", 2, 4},
        {"tallycard-faults 1\nat -1 repeat\n", 2, 4},
        {"tallycard-faults 1\nat 99999999999 repeat\n", 2, 4},
        {"tallycard-faults 1\n\n  often 1 repeat\n", 3, 3},
        {"tallycard-faults 1\nat 1 forget\n", 2, 6},
        {"tallycard-faults 1\nat 1\n", 2, 5},
        {"tallycard-faults 1\nat 1 repeat 5\n", 2, 13},
        {"tallycard-faults 1\nat 1 drop\n", 2, 10},
        {"tallycard-faults 1\nat 1 drop x\n", 2, 11},
        {"tallycard-faults 1\nat 1 delay 3600001\n", 2, 12},
        {"tallycard-faults 1\nat 1 status 600\n", 2, 13},
        {"tallycard-faults 1\nat 1 status 9G00\n", 2, 13},
        {"tallycard-faults 1\nat 1 remove-after 0\n", 2, 19},
        {"tallycard-faults 1\nins 1 at 1 repeat\n", 2, 5},
        {"tallycard-faults 1\nins 132 at 1 repeat\n", 2, 5},
        {"tallycard-faults 1\nchance 100.1% repeat\n", 2, 8},
        {"tallycard-faults 1\nchance 1.00001% repeat\n", 2, 8},
        {"tallycard-faults 1\nchance 1 repeat\n", 2, 8},
        {"tallycard-faults 1\nchance .5% repeat\n", 2, 8},
        {"tallycard-faults 1\nchance 1.% repeat\n", 2, 8},
        {"tallycard-faults 1\nseed 1\nseed 2\n", 3, 6},
        {"tallycard-faults 1\ndeadline 5 ms\n", 2, 12},
        {"tallycard-faults 1\r\nat 1 repeat\r\n", 1, 18},
        {"tallycard-faults 1\nat 1\trepeat\n", 2, 4},
    };
    for (const auto& each : cases) {
        const auto plan = FaultPlan::parse(each.text);
        CAPTURE(each.text);
        REQUIRE(!plan);
        CHECK(plan.error().code == Errc::file_malformed);
        CHECK(plan.error().detail == each.line);
        CHECK(plan.error().column == each.column);
        CHECK(std::string(plan.error().where).starts_with("fault plan: "));
    }
    CHECK(FaultPlan::parse("tallycard-faults 1\nat x repeat")
              .error()
              .message()
              .ends_with("(line 2, column 4)"));
    CHECK(FaultPlan::read("/nowhere/plan").error().code == Errc::file_missing);
}

TEST_CASE("faults meet the commands that their plan counts", "[fault]")
{
    CHECK(met(plan_of("at 2 repeat"), 9) == std::vector{2});
    CHECK(met(plan_of("every 4 repeat"), 9) == std::vector{4, 8});
    CHECK(met(plan_of("ins 32 at 2 repeat"), 9) == std::vector{6});
    CHECK(met(plan_of("ins 32 every 1 repeat\nat 1 repeat\n"), 9) == std::vector{1, 3, 6, 9});
    CHECK(met(plan_of("chance 0% repeat"), 1000).empty());
    CHECK(met(plan_of("chance 100% repeat"), 1000).size() == 1000);
}

TEST_CASE("the first fault that is due is the one that happens", "[fault]")
{
    fault::Schedule schedule(plan_of("at 1 drop 3\nevery 1 repeat"));
    const std::array<std::uint8_t, 4> command{};
    CHECK(schedule.next(command)->kind == Kind::drop);
    CHECK(schedule.next(command)->kind == Kind::repeat);
}

TEST_CASE("chance is the same for the same seed, and another for another", "[fault]")
{
    const auto first = met(plan_of("seed 5\nchance 25% repeat"), 4000);
    CHECK(first == met(plan_of("seed 5\nchance 25% repeat"), 4000));
    CHECK(first != met(plan_of("seed 6\nchance 25% repeat"), 4000));
    CHECK(first.size() > 850);  // five standard deviations
    CHECK(first.size() < 1150);
}
