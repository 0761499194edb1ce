// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <tallycard/store.hpp>

#include "memory_disk.hpp"

namespace simulation {

// A store each of whose calls may fail, or be the last one before the platform's machine stops.
std::unique_ptr<tallycard::Store> make_faulty(std::unique_ptr<tallycard::Store> below,
                                              Injector& injector, MemoryDisk& disk);

}  // namespace simulation
