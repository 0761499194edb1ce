// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace tallycard {

// "scdaemon": the name of a process as long as it runs, proc(5). Empty where it is not to be had.
std::string program_name(std::uint32_t process);

}  // namespace tallycard
