// SPDX-License-Identifier: Apache-2.0
// tallycard_simulation: worlds, one for each seed, until one breaks an invariant.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <unistd.h>

#include "random.hpp"
#include "shrink.hpp"
#include "world.hpp"

namespace {

using namespace simulation;

struct Options {
    std::uint64_t seeds = 100, first_seed = 1;
    std::uint64_t seconds = 0;  // 0: as long as the seeds take
    bool verbose = false, twice = false, probes = true, shrink = true;
};

struct Totals {
    std::uint64_t seeds = 0, steps = 0, operations = 0, entries = 0;
    std::array<std::uint64_t, fault_kinds> injected{};
    Probes probes;

    void add(const WorldReport& report)
    {
        ++seeds;
        steps += report.steps;
        operations += report.operations;
        entries += report.entries;
        for (std::size_t i = 0; i < fault_kinds; ++i) injected[i] += report.injected[i];
        probes.add(report.probes);
    }
};

constexpr const char* usage =
    "tallycard_simulation [--seeds N] [--first-seed S] [--seconds T] [--verbose]\n"
    "    [--twice] [--no-probes] [--no-shrink]\n"
    "  --seconds T   stop after T seconds, whatever --seeds says\n"
    "  --verbose     say every step\n"
    "  --twice       run each seed twice: both runs must be the same to the byte\n"
    "  --no-probes   a rare state that was never reached is no failure (few seeds)\n"
    "  --no-shrink   print the plan of a failing seed as it is\n";

bool number(const char* text, std::uint64_t& out)
{
    const auto* end = text + std::strlen(text);
    return std::from_chars(text, end, out).ptr == end && end != text;
}

bool parse(int argc, char** argv, Options& options)
{
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        const char* value = i + 1 < argc ? argv[i + 1] : "";
        if (name == "--verbose") {
            options.verbose = true;
        } else if (name == "--twice") {
            options.twice = true;
        } else if (name == "--no-probes") {
            options.probes = false;
        } else if (name == "--no-shrink") {
            options.shrink = false;
        } else if (auto* to = name == "--seeds"        ? &options.seeds
                              : name == "--first-seed" ? &options.first_seed
                              : name == "--seconds"    ? &options.seconds
                                                       : nullptr;
                   to == nullptr || !number(value, *to)) {
            return false;
        } else {
            ++i;
        }
    }
    return true;
}

// A folder of this run's own, in memory where the system has that: nothing in it has to last.
class Folder {
public:
    Folder()
    {
        const bool shared = ::access("/dev/shm", W_OK) == 0;
        path_ = (shared ? "/dev/shm" : std::filesystem::temp_directory_path().string()) +
                "/tallycard-simulation-XXXXXX";
        if (::mkdtemp(path_.data()) != nullptr) return;
        std::perror("mkdtemp");
        std::exit(2);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

void print(const Plan& plan)
{
    for (std::size_t i = 0; i < plan.steps.size(); ++i)
        std::printf("%4zu %s\n", i, to_string(plan.steps[i]).c_str());
}

void report_failure(const Plan& plan, const Failure& failure, const Options& options,
                    const std::string& folder)
{
    std::printf("seed %llu broke %s\n", static_cast<unsigned long long>(plan.seed),
                failure.what.c_str());
    std::fflush(stdout);
    const auto shortest = options.shrink ? shrink(plan, failure, folder) : plan;
    std::printf("the %s schedule that fails, %zu steps of %zu, %zu faults of %zu:\n",
                options.shrink ? "shortest" : "whole", shortest.steps.size(), plan.steps.size(),
                shortest.faults(), plan.faults());
    print(shortest);
    if (const auto again = run_plan(shortest, folder))
        std::printf("at step %zu: %s\n", again->step, again->what.c_str());
}

// True when the world held.
bool run_seed(std::uint64_t seed, const Options& options, const std::string& folder, Totals& totals)
{
    const auto plan = make_plan(seed);
    const auto tell = [](const std::string& text) { std::printf("%s\n", text.c_str()); };
    std::optional<Failure> failure;
    {
        World world(plan, folder, options.verbose ? World::Tell(tell) : World::Tell());
        try {
            world.run();
        } catch (const Violation& violation) {
            failure = {violation.invariant, violation.what(), world.step_number()};
        }
        totals.add(world.report());
    }
    if (failure) report_failure(plan, *failure, options, folder);
    return !failure;
}

bool is_deterministic(std::uint64_t seed, const std::string& folder)
{
    const auto plan = make_plan(seed);
    std::uint64_t traces[2] = {};
    for (auto& trace : traces) {
        World world(plan, folder);
        world.run();
        trace = world.report().trace;
    }
    if (traces[0] == traces[1]) return true;
    std::printf("seed %llu: two runs of it differ\n", static_cast<unsigned long long>(seed));
    return false;
}

int report(const Totals& totals, const Options& options)
{
    const auto line = [](std::uint64_t count, const char* what) {
        std::printf("%12llu %s\n", static_cast<unsigned long long>(count), what);
    };
    line(totals.seeds, "seeds");
    line(totals.steps, "steps");
    line(totals.operations, "operations executed by cards");
    line(totals.entries, "ledger entries");
    std::printf("faults:\n");
    for (std::size_t i = 0; i < fault_kinds; ++i)
        line(totals.injected[i], name(static_cast<FaultKind>(i)));
    std::printf("probes:\n");
    for (const auto& [probe, count] : totals.probes.counts()) line(count, probe.c_str());
    if (!options.probes) return 0;
    int missing = 0;
    for (const auto& probe : totals.probes.missing()) {
        std::printf("never reached: %s\n", probe.c_str());
        ++missing;
    }
    for (std::size_t i = 0; i < fault_kinds; ++i) {
        if (totals.injected[i] > 0) continue;
        std::printf("never injected: %s\n", name(static_cast<FaultKind>(i)));
        ++missing;
    }
    return missing > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv)
{
    Options options;
    if (!parse(argc, argv, options)) {
        std::fputs(usage, stderr);
        return 2;
    }
    take_over_library_randomness();
    const Folder folder;
    Totals totals;
    const auto began = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        const auto spent = std::chrono::steady_clock::now() - began;
        if (options.seconds > 0 && spent >= std::chrono::seconds(options.seconds)) break;
        if (!run_seed(options.first_seed + i, options, folder.path(), totals)) return 1;
        if (options.twice && !is_deterministic(options.first_seed + i, folder.path())) return 1;
    }
    return report(totals, options);
}
