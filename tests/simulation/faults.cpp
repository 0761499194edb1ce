// SPDX-License-Identifier: Apache-2.0
#include "faults.hpp"

namespace simulation {
namespace {

struct Row {
    Place place;
    const char* name;
};

constexpr Row rows[fault_kinds] = {
    {Place::contact, "other_terminal_at_card"},
    {Place::contact, "reset_at_begin"},
    {Place::exchange, "lose_command"},
    {Place::exchange, "lose_answer"},
    {Place::exchange, "flip_command"},
    {Place::exchange, "flip_answer"},
    {Place::exchange, "cut_answer_short"},
    {Place::exchange, "repeat_answer"},
    {Place::exchange, "repeat_command"},
    {Place::exchange, "reset_before"},
    {Place::exchange, "reset_after"},
    {Place::exchange, "remove_before"},
    {Place::exchange, "remove_after"},
    {Place::exchange, "kill_before_exchange"},
    {Place::exchange, "kill_after_exchange"},
    {Place::exchange, "other_terminal_in_transaction"},
    {Place::memory, "cut_nothing"},
    {Place::memory, "cut_torn"},
    {Place::memory, "cut_garbage"},
    {Place::memory, "cut_whole"},
    {Place::memory, "write_fails"},
    {Place::memory, "card_program_killed"},
    {Place::call, "lose_call"},
    {Place::call, "lose_reply"},
    {Place::call, "repeat_call"},
    {Place::call, "late_call"},
    {Place::call, "flip_call"},
    {Place::call, "flip_reply"},
    {Place::call, "kill_before_call"},
    {Place::call, "kill_after_call"},
    {Place::call, "other_terminal_at_platform"},
    {Place::statement, "platform_crash_at_statement"},
    {Place::statement, "statement_fails"},
    {Place::disk, "platform_crash_at_write"},
    {Place::disk, "disk_full"},
    {Place::disk, "disk_read_only"},
    {Place::disk, "sync_fails"},
    {Place::journal, "journal_kill"},
};

}  // namespace

const char* name(FaultKind kind)
{
    return rows[static_cast<std::size_t>(kind)].name;
}

Place place_of(FaultKind kind)
{
    return rows[static_cast<std::size_t>(kind)].place;
}

const Fault* Injector::event(Place place)
{
    if (paused_ > 0) return nullptr;
    const auto number = events_[static_cast<std::size_t>(place)]++;
    for (auto fault = due_.begin(); fault != due_.end(); ++fault) {
        if (place_of(fault->kind) != place || fault->at != number) continue;
        given_ = *fault;
        due_.erase(fault);
        ++injected_[static_cast<std::size_t>(given_.kind)];
        return &given_;
    }
    return nullptr;
}

}  // namespace simulation
