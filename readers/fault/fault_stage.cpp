// SPDX-License-Identifier: Apache-2.0
#include "fault_stage.hpp"

#include <algorithm>

namespace tallycard::fault {

std::optional<PlannedFault> Stage::due(std::span<const std::uint8_t> command)
{
    const std::lock_guard lock(mutex_);
    return schedule_.next(command);
}

std::chrono::milliseconds Stage::deadline() const
{
    const std::lock_guard lock(mutex_);
    return deadline_;
}

std::size_t Stage::fired() const
{
    const std::lock_guard lock(mutex_);
    return schedule_.fired();
}

void Stage::restart(const FaultPlan& plan)
{
    const std::lock_guard lock(mutex_);
    schedule_ = Schedule(plan);
    deadline_ = plan.deadline;
}

void Stage::pull(const std::string& reader, Away what, std::chrono::milliseconds time)
{
    const std::lock_guard lock(mutex_);
    auto& place = places_[reader];
    place.away = what;
    place.back =
        time.count() == PlannedFault::for_good ? Clock::time_point::max() : Clock::now() + time;
    ++place.losses.pulls;
    ++changes_;
    changed_.notify_all();
    for (auto* const listener : listeners_) listener->pulled(reader, what);
}

void Stage::bring_back(const std::string& reader)
{
    const std::lock_guard lock(mutex_);
    places_[reader].away = Away::nothing;
    ++changes_;
    changed_.notify_all();
}

void Stage::reset(const std::string& reader)
{
    const std::lock_guard lock(mutex_);
    ++places_[reader].losses.resets;
}

Stage::Losses Stage::losses(const std::string& reader) const
{
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(reader);
    return found == places_.end() ? Losses{} : found->second.losses;
}

Away Stage::away(const std::string& reader) const
{
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(reader);
    return found == places_.end() ? Away::nothing : found->second.now();
}

std::optional<Clock::time_point> Stage::first_return() const
{
    std::optional<Clock::time_point> first;
    for (const auto& [name, place] : places_) {
        if (place.now() == Away::nothing || place.back == Clock::time_point::max()) continue;
        if (!first || place.back < *first) first = place.back;
    }
    return first;
}

std::optional<Clock::time_point> Stage::next_return() const
{
    const std::lock_guard lock(mutex_);
    return first_return();
}

std::uint64_t Stage::changes() const
{
    const std::lock_guard lock(mutex_);
    return changes_;
}

void Stage::wait(std::uint64_t seen, Clock::time_point end)
{
    std::unique_lock lock(mutex_);
    const auto first = first_return();
    changed_.wait_until(lock, first ? std::min(*first, end) : end,
                        [&] { return changes_ != seen; });
}

void Stage::wake() noexcept
{
    const std::lock_guard lock(mutex_);
    ++changes_;
    changed_.notify_all();
}

void Stage::add(PullListener& listener)
{
    const std::lock_guard lock(mutex_);
    listeners_.push_back(&listener);
}

void Stage::remove(PullListener& listener) noexcept
{
    const std::lock_guard lock(mutex_);
    std::erase(listeners_, &listener);
}

}  // namespace tallycard::fault
