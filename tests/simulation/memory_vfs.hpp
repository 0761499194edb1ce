// SPDX-License-Identifier: Apache-2.0
// SQLite's file system functions over a MemoryDisk.
#pragma once

#include "memory_disk.hpp"

namespace simulation::vfs {

void attach(MemoryDisk& disk);
void detach();

}  // namespace simulation::vfs
