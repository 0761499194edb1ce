// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace tallycard::bench {

// One page of a file beside the store, written again and again, durably.
class Disk {
public:
    explicit Disk(const std::string& path)
        : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600))
    {
    }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    ~Disk() { ::close(file_); }

    void run(std::size_t times) const
    {
        constexpr std::array<std::uint8_t, 4096> page{};
        for (std::size_t i = 0; i < times; ++i)
            if (::pwrite(file_, page.data(), page.size(), 0) < 0 || ::fdatasync(file_) != 0)
                throw std::runtime_error("the disk failed");
    }

private:
    int file_;
};

}  // namespace tallycard::bench
