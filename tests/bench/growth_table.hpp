// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tallycard::bench {

// One number of one size.
struct Figure {
    std::uint64_t records;
    std::string what, unit;
    double floor, ours;  // floor 0: there is none
    double ratio;
};

class Table {
public:
    // `csv` is written as it comes, so that a run that is broken off leaves what it has.
    explicit Table(const std::string& csv)
    {
        if (csv.empty()) return;
        csv_.open(csv);
        if (!csv_) throw std::runtime_error("the CSV file cannot be written");
        csv_ << "records,what,unit,floor,ours,ratio\n";
    }
    void add(const Figure& one)
    {
        char line[160];
        std::snprintf(line, sizeof line, "%llu,\"%s\",%s,%.3f,%.3f,%.3f\n",
                      static_cast<unsigned long long>(one.records), one.what.c_str(),
                      one.unit.c_str(), one.floor, one.ours, one.ratio);
        std::fputs(line, stderr);
        if (csv_.is_open()) csv_ << line << std::flush;
        figures_.push_back(one);
    }
    void print() const
    {
        std::printf("%9s  %-34s %10s %10s %7s  %s\n", "records", "", "floor", "ours", "ratio", "");
        for (const auto& one : figures_)
            std::printf("%9llu  %-34s %10.2f %10.2f %7.2f  %s\n",
                        static_cast<unsigned long long>(one.records), one.what.c_str(), one.floor,
                        one.ours, one.ratio, one.unit.c_str());
    }

private:
    std::ofstream csv_;
    std::vector<Figure> figures_;
};

}  // namespace tallycard::bench
