// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard {

// One thing that goes wrong between us and a card, and when.
struct PlannedFault {
    enum class Kind : std::uint8_t {
        lose_command,   // the card never hears it
        lose_answer,    // the card has done it
        drop,           // the link ends for good after `value` bytes of the answer
        mute_before,    // nothing answers until the deadline; the card never hears it
        mute_after,     // likewise, and the card has done it
        delay,          // the answer comes `value` ms late; at the deadline it is mute_after
        status,         // the status word becomes `value`; the data stays
        only_status,    // the status word becomes `value`; the data is gone
        truncate,       // `value` bytes of the answer arrive
        flip_bit,       // bit `value` of the answer, from the first byte on, modulo its size
        repeat,         // the answer before this one arrives, and the card has done it
        reset_before,   // another program resets the card before it hears the command
        reset_after,    // likewise, after it has done it
        remove_before,  // the card leaves before it hears the command, for `value` ms
        remove_after,   // likewise, after it has done it
        unplug_before,  // the reader leaves before the card hears the command, for `value` ms
        unplug_after,   // likewise, after it has done it
    };
    enum class When : std::uint8_t {
        at,      // the command with that `number`, from 1
        every,   // each command whose number is a multiple of it
        chance,  // `number` of a million
    };
    static constexpr std::uint32_t for_good = 0;  // `value` of a removal that has no end
    static constexpr std::uint32_t million = 1'000'000;

    Kind kind{};
    When when{};
    std::uint32_t number = 1;
    std::optional<std::uint8_t> ins;  // then commands of this instruction alone are counted
    std::uint32_t value = 0;

    friend bool operator==(const PlannedFault&, const PlannedFault&) = default;
};

// The name of a kind as it stands in a plan: "lose-command".
TALLYCARD_EXPORT const char* name(PlannedFault::Kind kind) noexcept;

// What an open_faulty() reader does wrong. As a text: docs/reader-decorators.md.
struct FaultPlan {
    static constexpr std::size_t max_text = 1 << 20;

    std::vector<PlannedFault> faults;  // of those that are due the first one happens
    std::uint64_t seed = 1;            // of what happens by chance: the same seed, the same faults
    std::chrono::milliseconds deadline{10'000};  // when a mute link is given up

    // Errc::file_malformed (detail: line; column).
    TALLYCARD_EXPORT static Result<FaultPlan> parse(std::string_view text);
    // Also Errc::file_missing, file_damaged (longer than max_text), file_rejected.
    TALLYCARD_EXPORT static Result<FaultPlan> read(const std::string& path);
};

}  // namespace tallycard
