// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <span>
#include <string>

#include "../support/temporary_folder.hpp"

namespace fuzz {

// A folder for files of one process, in memory where there is such a place: targets write one for
// each input.
inline const tallycard::test::TemporaryFolder& scratch()
{
    static const bool in_memory =
        ::access("/dev/shm", W_OK) == 0 && ::setenv("TMPDIR", "/dev/shm", 1) == 0;
    static const tallycard::test::TemporaryFolder folder;
    (void)in_memory;
    return folder;
}

// A file there with these bytes, for its owner alone.
inline std::string file_with(const char* name, std::span<const std::uint8_t> bytes)
{
    const auto path = scratch().file(name);
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    ::chmod(path.c_str(), 0600);
    return path;
}

}  // namespace fuzz
