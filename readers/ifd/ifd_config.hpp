// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <tallycard/reader.hpp>
#include <tallycard/result.hpp>

namespace tallycard::ifd {

// One slot: for a card program that connects, or for a card whose image the driver runs itself.
struct SlotConfig {
    std::string image;               // empty: for a card program
    std::string transport_key_file;  // makes a blank card where there is no image
    TransmissionProtocol protocol = TransmissionProtocol::t1;
    bool fsync = true;
};

// What the driver's configuration file says; docs/virtual-readers.md describes the file.
struct Config {
    static constexpr std::size_t max_slots = 16;  // of all readers together, in pcscd

    std::size_t slots = 4;
    std::string directory = "/run/tallycard";
    std::string owner;  // of the sockets; empty: pcscd's user
    std::string serial = "0001";
    std::chrono::milliseconds deadline = std::chrono::seconds(10);
    std::string pin_pipe, pin_prompt;  // at most one of them
    std::chrono::seconds pin_timeout = std::chrono::seconds(30);
    std::array<SlotConfig, max_slots> slot;

    bool has_pinpad() const { return !pin_pipe.empty() || !pin_prompt.empty(); }
    std::string socket_of(std::size_t number) const;
};

// Errc::malformed: `where` says why, and `detail` in which line, counted from 1.
Result<Config> parse_config(std::string_view text);

// The file must be regular (or /dev/null, for the defaults) and not for others to write, since it
// may name a program to run. Errc::file_missing; Errc::file_rejected (detail: errno); and as above.
Result<Config> read_config(const std::string& path);

}  // namespace tallycard::ifd
