// SPDX-License-Identifier: Apache-2.0
#include "ifd_log.hpp"

#include <cstdio>

extern "C" {
#include <debuglog.h>
}

// pcscd has it; a test that loads the driver's parts without pcscd has not.
#pragma weak log_msg

namespace tallycard::ifd {
namespace {

void write(int priority, const std::string& line) noexcept
{
    if (log_msg == nullptr) {
        std::fprintf(stderr, "tallycard: %s\n", line.c_str());
        return;
    }
    log_msg(priority, "tallycard: %s", line.c_str());
}

}  // namespace

void log_info(const std::string& line) noexcept
{
    write(PCSC_LOG_INFO, line);
}

void log_error(const std::string& line) noexcept
{
    write(PCSC_LOG_ERROR, line);
}

}  // namespace tallycard::ifd
