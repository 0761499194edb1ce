// SPDX-License-Identifier: Apache-2.0
// Measures what we do beside a floor: the least that any program would have to do for the same.
// Both run in turn in one process, so that a busy machine slows both down; what counts is the
// median of the rounds' ratios and differences. A benchmark prints; it never fails.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tallycard::bench {

// How often operator new was called in this process. Libraries in C are not seen.
std::size_t allocations() noexcept;

// Keeps the compiler from leaving out what made `value`.
template <class T>
void keep(const T& value)
{
    asm volatile("" : : "r"(&value) : "memory");
}

// One side of a comparison. Only run() is timed; both others may be empty.
struct Work {
    std::function<void(std::size_t times)> run;
    std::function<void(std::size_t times)> prepare = nullptr;
    std::function<void()> finish = nullptr;
};

// What we want of the medians; empty: for information.
struct Aim {
    std::optional<double> ratio, added_us, allocations;
};

struct Comparison {
    std::string name;
    std::size_t rounds, times;  // each round runs both sides `times` times
    Work floor, ours;
    Aim aim = {};
};

struct Row {
    std::string name;
    double floor_us, ours_us, ratio, added_us;
    double noise_us;     // of added_us
    double allocations;  // of ours, for each time
    // Of processors, which another program's load does not lengthen much.
    double floor_processor_us, ours_processor_us;
    Aim aim;
};

class Report {
public:
    // Knows --json: a line of JSON for each comparison in place of the table.
    Report(int argc, char** argv);
    void compare(const Comparison& comparison);
    void print() const;
    const std::vector<Row>& rows() const { return rows_; }

private:
    void print_table() const;
    void print_json() const;

    bool json_ = false;
    std::vector<Row> rows_;
};

}  // namespace tallycard::bench
