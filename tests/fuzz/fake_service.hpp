// SPDX-License-Identifier: Apache-2.0
// A PC/SC service in this process: it has the functions of winscard.h in the place of pcsc-lite's.
// Each call fails as the input says, one in 400 or more often; readers and cards come and go, the
// service itself too, and a call may hang until somebody gives it up.
#pragma once

#include <winscard.h>

#include <cstdint>
#include <memory>
#include <string>

namespace fuzz {

class Input;

class FakeService {
public:
    // For one input. `one_in`: how often a call fails.
    static void begin(std::uint64_t seed, std::uint32_t one_in);
    // Contexts and handles that were not given back are a finding.
    static void end();

    static void plug(const std::string& reader);
    static void unplug(const std::string& reader);
    static void insert(const std::string& reader);
    static void remove(const std::string& reader);
    static void stop();  // every context is void
    static void start();
    static void fail_no_more();

    // Whether the card may have heard a command since then.
    static void forget();
    static bool was_heard();
};

}  // namespace fuzz
