// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tallycard/fault_plan.hpp>

#include "schedule.hpp"

namespace tallycard::fault {

using Clock = std::chrono::steady_clock;

// What of a reader is not there.
enum class Away : std::uint8_t { nothing, card, reader };

// Wants to know at once that something was pulled.
class PullListener {
public:
    PullListener() = default;
    PullListener(const PullListener&) = delete;
    PullListener& operator=(const PullListener&) = delete;
    virtual ~PullListener() = default;
    // On the thread of the link whose fault it was; calls nothing of the stage.
    virtual void pulled(const std::string& reader, Away what) = 0;
};

// What the readers, links and monitors of one driver have in common: the schedule, and what it did
// to cards and readers. Thread-safe.
class Stage {
public:
    explicit Stage(const FaultPlan& plan) : schedule_(plan), deadline_(plan.deadline) {}

    std::optional<PlannedFault> due(std::span<const std::uint8_t> command);
    std::chrono::milliseconds deadline() const;
    std::size_t fired() const;
    // Counts from 0 again, by another plan. What is away stays away.
    void restart(const FaultPlan& plan);

    // Takes it away for that long; PlannedFault::for_good is 0.
    void pull(const std::string& reader, Away what, std::chrono::milliseconds time);
    void bring_back(const std::string& reader);
    void reset(const std::string& reader);
    // How often the card was pulled, and reset. A link compares.
    struct Losses {
        std::uint64_t pulls = 0, resets = 0;
        friend bool operator==(const Losses&, const Losses&) = default;
    };
    Losses losses(const std::string& reader) const;

    Away away(const std::string& reader) const;
    // When the next of what is away comes back.
    std::optional<Clock::time_point> next_return() const;

    // Returns at `end`, when something comes back, or when something was pulled or brought back or
    // it was woken since `seen` was asked for.
    std::uint64_t changes() const;
    void wait(std::uint64_t seen, Clock::time_point end);
    void wake() noexcept;

    void add(PullListener& listener);
    void remove(PullListener& listener) noexcept;

private:
    struct Place {
        Away away = Away::nothing;
        Clock::time_point back = Clock::time_point::max();
        Losses losses;
        Away now() const { return Clock::now() < back ? away : Away::nothing; }
    };
    std::optional<Clock::time_point> first_return() const;  // requires the lock

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Schedule schedule_;
    std::chrono::milliseconds deadline_;
    std::map<std::string, Place> places_;
    std::vector<PullListener*> listeners_;
    std::uint64_t changes_ = 0;
};

}  // namespace tallycard::fault
