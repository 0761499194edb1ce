// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace simulation {

// Where something can go wrong. Each counts its own events from 0 in every step of a plan.
enum class Place : std::uint8_t {
    contact,    // a terminal takes the card for itself
    exchange,   // a command to a card, and its answer
    memory,     // a write of a card's memory, or a sync
    call,       // a call of the platform by a terminal
    statement,  // a statement of the platform's store
    disk,       // a write or sync of the store's files
    journal,    // a line of a terminal's payment journal
};

enum class FaultKind : std::uint8_t {
    other_terminal_at_card,  // does something with the card first
    reset_at_begin,          // another program has reset the card

    lose_command,
    lose_answer,
    flip_command,
    flip_answer,
    cut_answer_short,
    repeat_answer,   // the answer before this one comes instead
    repeat_command,  // the card hears it twice; the second answer comes
    reset_before,    // another program resets the card
    reset_after,
    remove_before,  // the card leaves the field, and its power with it
    remove_after,
    kill_before_exchange,  // the terminal's program dies
    kill_after_exchange,
    other_terminal_in_transaction,

    cut_nothing,          // power goes, and nothing of this write arrives
    cut_torn,             // a part arrives
    cut_garbage,          // something else arrives in its place
    cut_whole,            // all of it arrives
    write_fails,          // the card lives on; something else is in its place
    card_program_killed,  // the virtual card's process dies; the system keeps what was written

    lose_call,
    lose_reply,
    repeat_call,
    late_call,  // the terminal takes it for lost; it comes in a later step
    flip_call,
    flip_reply,
    kill_before_call,
    kill_after_call,
    other_terminal_at_platform,

    platform_crash_at_statement,
    statement_fails,

    platform_crash_at_write,
    disk_full,       // from here to the end of the step
    disk_read_only,  // likewise
    sync_fails,

    journal_kill,  // the terminal dies, and a part of the line is in the file
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(FaultKind::journal_kill) + 1;

const char* name(FaultKind kind);
Place place_of(FaultKind kind);

struct Fault {
    FaultKind kind{};
    std::uint32_t at = 0;     // which event of its place
    std::uint64_t value = 0;  // what the fault needs to choose by
};

// Gives out the faults of the step that is running, when their event comes; counts what it gave.
class Injector {
public:
    void begin(const std::vector<Fault>& faults)
    {
        due_ = faults;
        events_.fill(0);
    }
    void end() { due_.clear(); }

    // One more event of this place: the fault planned for it, or null. Valid until the next call.
    const Fault* event(Place place);

    // While it lives, nothing goes wrong and nothing is counted.
    class Pause {
    public:
        explicit Pause(Injector& injector) : injector_(injector) { ++injector_.paused_; }
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;
        ~Pause() { --injector_.paused_; }

    private:
        Injector& injector_;
    };

    const std::array<std::uint64_t, fault_kinds>& injected() const { return injected_; }

private:
    static constexpr std::size_t places = 7;
    std::vector<Fault> due_;
    Fault given_;
    std::array<std::uint32_t, places> events_{};
    std::array<std::uint64_t, fault_kinds> injected_{};
    int paused_ = 0;
};

}  // namespace simulation
