// SPDX-License-Identifier: Apache-2.0
// What was done to files and is not durable yet, and how a loss of power takes it back.
#pragma once

#include <dlfcn.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace testing::shim {

// The system's own function, behind the one of that name here.
template <class F>
F next(const char* name)
{
    return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

// Something that was done to a file and is not durable yet.
struct Change {
    enum class What : std::uint8_t { write, truncate, make, rename } what;
    std::string path;
    off_t offset = 0;
    std::string old_bytes = {}, new_bytes = {};
    off_t old_size = 0, new_size = 0;
    std::string from = {};  // of a rename; what was there before is at path + ".before"
};

off_t size_of(const std::string& path);
std::string bytes_at(const std::string& path, off_t offset, std::size_t size);

void undo(const Change& change);
// Blocks that are there although others that were written before are not.
void redo(const Change& change);

}  // namespace testing::shim
