// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tallycard/fixed_bytes.hpp>

#include "faults.hpp"
#include "probes.hpp"

namespace simulation {

// Everything that was said to a card and how it answered, in order; a part of it for replaying.
struct Exchange {
    unsigned card = 0;
    std::vector<std::uint8_t> command, answer;
    std::uint8_t ins() const { return command.size() > 1 ? command[1] : 0; }
};

// What the parts of one world share.
struct Environment {
    Injector injector;
    Probes probes;
    std::vector<Exchange> exchanges;
    std::set<tallycard::Digest> signed_operations;     // by the issuer, since the world began
    std::set<tallycard::Digest> requested_operations;  // by cards: each that one kept
    std::uint64_t trace = 0xCBF29CE484222325;          // FNV-1a over everything that happened
    std::uint64_t operations = 0;                      // that cards executed
    std::function<void(std::uint64_t)> other_terminal;
    std::function<void(const std::string&)> tell;  // for people; may be empty

    void note(std::span<const std::uint8_t> bytes)
    {
        for (const auto byte : bytes) trace = (trace ^ byte) * 0x100000001B3;
    }
    void say(const std::string& text) const
    {
        if (tell) tell(text);
    }
};

}  // namespace simulation
