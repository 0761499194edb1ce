// SPDX-License-Identifier: Apache-2.0
// A PC/SC service in this process: it has the functions of winscard.h in the place of pcsc-lite's.
// Each call fails as the input says, one in 400 or more often; readers and cards come and go, the
// service itself too, and a call may hang until somebody gives it up.
#pragma once

#include <winscard.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fuzz {

class Input;

class FakeService {
public:
    // For one input. `one_in`: how often a call fails; 0: never. `longest_wait`: ms that a call
    // waits at most, whatever it is told.
    static void begin(std::uint64_t seed, std::uint32_t one_in, std::uint32_t longest_wait);
    // Contexts and handles that were not given back are a finding.
    static void end();

    static void plug(const std::string& reader);
    static void unplug(const std::string& reader);
    static void insert(const std::string& reader);
    static void remove(const std::string& reader);
    static void stop();  // every context is void
    static void start();
    static void fail_no_more();

    // One look at a reader, in place of the truth.
    struct Look {
        bool has_card = false;
        std::uint16_t counter = 0;
        bool lacks_atr = false;
        bool is_unavailable = false;
    };
    // The next looks at this reader, one a call; then the truth.
    static void show(const std::string& reader, std::vector<Look> looks);
    // The truth from now on.
    static void set(const std::string& reader, const Look& now);
    // The next lists lack this reader.
    static void hide_in_lists(const std::string& reader, int times);
    // So many of the next calls fail by this code.
    static void fail_by(LONG code, int times);
    // So many of the next connections are refused by this code.
    static void fail_to_connect_by(LONG code, int times);
    // All that the functions above asked for has happened.
    static bool was_odd_enough();
    // How often SCardGetStatusChange was called.
    static int status_calls();
    // Cards that were put in, and looks after which a card may seem to have been.
    static int insertions();

    // Whether the card may have heard a command since then.
    static void forget();
    static bool was_heard();
};

}  // namespace fuzz
