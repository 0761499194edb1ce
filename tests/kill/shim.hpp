// SPDX-License-Identifier: Apache-2.0
// Stands between this program (the libraries that it loads included) and the system's calls that
// change files: counts those that concern the files of one folder, and at one of them the power
// fails, the process is killed, or the call fails. Linked into a test, its write() is everybody's.
#pragma once

#include <cstdint>
#include <string>

namespace testing::shim {

enum class How : std::uint8_t {
    count,          // nothing happens
    kill_before,    // kill -9; all that was written before is there
    kill_in,        // half of the write is there
    drop_unsynced,  // the power fails: what was not synced is as it was before
    keep_some,      // likewise, but any of it may be there, whatever the order
    fail_once,      // the call fails
    fail_for_good,  // and each one after it
};

struct Plan {
    std::string folder;  // with the slash at its end; what is below it counts
    How how = How::count;
    int at = 0;     // the how manyth call, from 1
    int error = 5;  // errno of the call that fails
    std::uint64_t seed = 0;
};

// From now on. Calls are counted anew.
void begin(Plan plan);
// Nothing is counted, and nothing fails, any more. The number of calls since begin().
int end();

}  // namespace testing::shim
