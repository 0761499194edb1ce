// SPDX-License-Identifier: Apache-2.0
// The terminal program: one operation at one card, or from one card to the other.
#pragma once

#include <atomic>
#include <cstdint>

#include "kill_world.hpp"

namespace testing {

enum class Task : std::uint8_t { top_up, cash_out, payment, card_to_card };
inline constexpr std::array tasks = {Task::top_up, Task::cash_out, Task::payment,
                                     Task::card_to_card};
const char* name(Task task);

struct Job {
    Task task = Task::top_up;
    std::size_t card = 0;  // of a transfer: the one that gives
    std::int64_t amount = 0;
    OperationId id;
};

// What cards and platform say of each other.
struct Positions {
    std::array<std::uint32_t, 2> card_sequence{};
    std::array<std::uint32_t, 2> settled{};
    std::array<bool, 2> pending{};
    friend bool operator==(const Positions&, const Positions&) = default;
};

// Memory that a process shares with those that it forks: what they tell survives their death.
struct Told {
    enum class End : std::uint8_t { none, applied, not_applied, in_doubt };

    std::atomic<int> steps = 0;
    std::atomic<End> end = End::none;
    std::array<char, 256> reason{};
    Positions positions;

    static Told& shared();
};

// Each in a process of its own; true when it ended one way or another.
bool run_terminal(const KillWorld& world, const Job& job, Told& told);
// Knows nothing of the job but which cards are there: ends what the journal holds open, and tells
// what the journal says of the job then.
bool run_drain(const KillWorld& world, const Job& job, Told& told);
bool look(const KillWorld& world, Told& told);

}  // namespace testing
