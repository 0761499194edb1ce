// SPDX-License-Identifier: Apache-2.0
#include "program_name.hpp"

#include <fstream>

namespace tallycard {

std::string program_name(std::uint32_t process)
{
    std::ifstream file("/proc/" + std::to_string(process) + "/comm");
    std::string name;
    std::getline(file, name);
    return name;
}

}  // namespace tallycard
