// SPDX-License-Identifier: Apache-2.0
#include "bench.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace tallycard::bench {
namespace {

struct Sample {
    double us, processor_us;  // each time
    std::size_t allocations;
};

double processor_time()
{
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return 1e6 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e3;
}

Sample measure(const Work& work, std::size_t times)
{
    using Clock = std::chrono::steady_clock;
    if (work.prepare) work.prepare(times);
    const auto before = allocations();
    const auto processor = processor_time();
    const auto start = Clock::now();
    work.run(times);
    const std::chrono::duration<double, std::micro> took = Clock::now() - start;
    const auto used = processor_time() - processor;
    const auto after = allocations();
    if (work.finish) work.finish();
    const auto each = 1 / static_cast<double>(times);
    return {.us = took.count() * each, .processor_us = used * each, .allocations = after - before};
}

double quantile(std::vector<double> values, double part)
{
    const auto rank = part * static_cast<double>(values.size());
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::ranges::nth_element(values, place);
    return *place;
}

double median(const std::vector<double>& values)
{
    return quantile(values, 0.5);
}

// How far the median may be off: the notch of a box plot (McGill, Tukey and Larsen, 1978).
double noise(const std::vector<double>& values)
{
    const auto box = quantile(values, 0.75) - quantile(values, 0.25);
    return 1.57 * box / std::sqrt(static_cast<double>(values.size()));
}

std::string verdict(const Row& row)
{
    std::string text;
    const auto add = [&](const char* what, double is, double off, std::optional<double> most) {
        if (!most) return;
        const char* const met = is <= *most ? "yes" : is - off <= *most ? "unclear" : "NO";
        char part[64];
        std::snprintf(part, sizeof part, "%s%s <= %g: %s", text.empty() ? "" : ", ", what, *most,
                      met);
        text += part;
    };
    add("ratio", row.ratio, 0, row.aim.ratio);
    add("added", row.added_us, row.noise_us, row.aim.added_us);
    add("new", row.allocations, 0, row.aim.allocations);
    return text;
}

}  // namespace

Report::Report(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i) json_ = json_ || argv[i] == std::string_view("--json");
}

void Report::compare(const Comparison& comparison)
{
    const auto& [name, rounds, times, floor, ours, aim] = comparison;
    (void)measure(floor, times);
    (void)measure(ours, times);
    std::vector<double> floors, all_ours, ratios, differences, news, floor_used, used;
    for (std::size_t round = 0; round < rounds; ++round) {
        const bool ours_first = round % 2 == 1;
        Sample one = measure(ours_first ? ours : floor, times);
        Sample other = measure(ours_first ? floor : ours, times);
        if (ours_first) std::swap(one, other);
        floors.push_back(one.us);
        all_ours.push_back(other.us);
        ratios.push_back(other.us / one.us);
        differences.push_back(other.us - one.us);
        floor_used.push_back(one.processor_us);
        used.push_back(other.processor_us);
        news.push_back(static_cast<double>(other.allocations) / static_cast<double>(times));
    }
    rows_.push_back({.name = name,
                     .floor_us = median(floors),
                     .ours_us = median(all_ours),
                     .ratio = median(ratios),
                     .added_us = median(differences),
                     .noise_us = noise(differences),
                     .allocations = median(news),
                     .floor_processor_us = median(floor_used),
                     .ours_processor_us = median(used),
                     .aim = aim});
}

void Report::print() const
{
    json_ ? print_json() : print_table();
}

void Report::print_table() const
{
    std::printf("%-46s %9s %9s %7s %9s %6s %9s %5s  %s\n", "", "floor us", "ours us", "ratio",
                "added us", "+-", "ours/s", "new", "aim");
    for (const auto& row : rows_) {
        char ratio[16] = "-";  // of nothing
        if (row.floor_us >= 0.01) std::snprintf(ratio, sizeof ratio, "%.3f", row.ratio);
        std::printf("%-46s %9.2f %9.2f %7s %9.2f %6.2f %9.0f %5.2f  %s\n", row.name.c_str(),
                    row.floor_us, row.ours_us, ratio, row.added_us, row.noise_us, 1e6 / row.ours_us,
                    row.allocations, verdict(row).c_str());
    }
}

void Report::print_json() const
{
    for (const auto& row : rows_) {
        std::printf(
            "{\"name\": \"%s\", \"floor_us\": %.3f, \"ours_us\": %.3f, "
            "\"ratio\": %.4f, \"added_us\": %.3f, \"noise_us\": %.3f, "
            "\"allocations\": %.2f}\n",
            row.name.c_str(), row.floor_us, row.ours_us, row.ratio, row.added_us, row.noise_us,
            row.allocations);
    }
}

}  // namespace tallycard::bench
