// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace simulation {

// An invariant that did not hold. Its name is one of I1 to I18, or what else was promised.
struct Violation : std::runtime_error {
    Violation(std::string broken, const std::string& what)
        : std::runtime_error(broken + ": " + what), invariant(std::move(broken))
    {
    }
    std::string invariant;
};

inline void check(bool holds, const char* invariant, const std::string& what)
{
    if (!holds) throw Violation(invariant, what);
}

// The terminal's program died here. Its caller is gone: only the world catches this.
struct TerminalKilled {};

// How often each rare state was reached, by name. Those that must be are in probes.cpp.
class Probes {
public:
    void reach(const char* probe) { ++counts_[probe]; }
    void add(const Probes& other)
    {
        for (const auto& [probe, count] : other.counts_) counts_[probe] += count;
    }
    std::uint64_t count(const std::string& probe) const
    {
        const auto found = counts_.find(probe);
        return found == counts_.end() ? 0 : found->second;
    }
    const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
    // Those that a whole run has to reach, and did not.
    std::vector<std::string> missing() const;

private:
    std::map<std::string, std::uint64_t> counts_;
};

}  // namespace simulation
