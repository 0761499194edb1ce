// SPDX-License-Identifier: Apache-2.0
#include "disk_change.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace testing::shim {
namespace {

void put(const std::string& path, off_t offset, const std::string& bytes)
{
    const int file = next<int (*)(const char*, int, ...)>("open")(path.c_str(), O_WRONLY);
    (void)!next<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite")(file, bytes.data(),
                                                                             bytes.size(), offset);
    ::close(file);
}

void resize(const std::string& path, off_t size)
{
    (void)!::truncate(path.c_str(), size);
}

}  // namespace

off_t size_of(const std::string& path)
{
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

std::string bytes_at(const std::string& path, off_t offset, std::size_t size)
{
    std::string bytes(size, '\0');
    const int file = next<int (*)(const char*, int, ...)>("open")(path.c_str(), O_RDONLY);
    const auto n = ::pread(file, bytes.data(), size, offset);
    ::close(file);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
}

void undo(const Change& change)
{
    switch (change.what) {
    case Change::What::write:
        put(change.path, change.offset, change.old_bytes);
        resize(change.path, change.old_size);
        break;
    case Change::What::truncate:
        resize(change.path, change.old_size);
        put(change.path, change.offset, change.old_bytes);
        break;
    case Change::What::make: ::unlink(change.path.c_str()); break;
    case Change::What::rename: {
        const auto before = change.path + ".before";
        const auto rename = next<int (*)(const char*, const char*)>("rename");
        rename(change.path.c_str(), change.from.c_str());
        if (::access(before.c_str(), F_OK) == 0) rename(before.c_str(), change.path.c_str());
        break;
    }
    }
}

void redo(const Change& change)
{
    if (change.what == Change::What::write) put(change.path, change.offset, change.new_bytes);
    if (change.what == Change::What::truncate) resize(change.path, change.new_size);
}

}  // namespace testing::shim
