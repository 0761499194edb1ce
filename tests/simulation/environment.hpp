// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tallycard/entry.hpp>
#include <tallycard/fixed_bytes.hpp>
#include <tallycard/operation.hpp>

#include "faults.hpp"
#include "probes.hpp"

namespace simulation {

// Everything that was said to a card and how it answered, in order; a part of it for replaying.
struct Exchange {
    unsigned card = 0;
    std::vector<std::uint8_t> command, answer;
    std::uint8_t ins() const { return command.size() > 1 ? command[1] : 0; }
};

// A sequence of a card.
using CardPlace = std::pair<tallycard::CardId, std::uint32_t>;

// What the parts of one world share.
struct Environment {
    Injector injector;
    Probes probes;
    std::vector<Exchange> exchanges;
    std::set<tallycard::Digest> signed_operations;     // by the issuer, since the world began
    std::set<tallycard::Digest> requested_operations;  // by cards: each that one kept
    std::map<CardPlace, std::vector<tallycard::Operation>> signed_for;  // the same, by sequence
    // Words of owners of accounts: the key, and the digest of what they gave it to.
    std::set<std::pair<tallycard::PublicKey, tallycard::Digest>> words;
    std::set<tallycard::CardId> forked;               // cards that were cloned or rolled back
    tallycard::Time clock{std::chrono::days(20000)};  // the platform's
    tallycard::Time latest = clock;                   // that it ever showed
    std::uint64_t trace = 0xCBF29CE484222325;         // FNV-1a over everything that happened
    std::uint64_t operations = 0;                     // that cards executed
    std::function<void(std::uint64_t)> other_terminal;
    std::function<void(const std::string&)> tell;  // for people; may be empty

    void set_clock(tallycard::Time time)
    {
        clock = time;
        latest = std::max(latest, time);
    }
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
