// SPDX-License-Identifier: Apache-2.0
// The system's calls for files, in the place of libc's: one of them fails as the input says. In one
// file of a program only.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

namespace fuzz {

// While it lives, the n-th call fails with this error; with EINTR, once.
class FailingCalls {
public:
    FailingCalls(unsigned nth, int error)
    {
        left() = nth;
        code() = error;
    }
    FailingCalls(const FailingCalls&) = delete;
    FailingCalls& operator=(const FailingCalls&) = delete;
    ~FailingCalls() { left() = 0; }

    static bool fails(bool may_be_interrupted = false)
    {
        if (left() == 0 || --left() != 0) return false;
        if (code() == EINTR && !may_be_interrupted) return false;
        errno = code();
        return true;
    }

private:
    static unsigned& left()
    {
        static unsigned calls = 0;
        return calls;
    }
    static int& code()
    {
        static int error = 0;
        return error;
    }
};

}  // namespace fuzz

extern "C" {

int open(const char* path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const int mode = (flags & O_CREAT) != 0 ? va_arg(more, int) : 0;
    va_end(more);
    if (fuzz::FailingCalls::fails()) return -1;
    return static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
ssize_t read(int file, void* bytes, size_t size)
{
    return fuzz::FailingCalls::fails(true) ? -1 : ::syscall(SYS_read, file, bytes, size);
}
ssize_t write(int file, const void* bytes, size_t size)
{
    return fuzz::FailingCalls::fails(true) ? -1 : ::syscall(SYS_write, file, bytes, size);
}
int fsync(int file)
{
    return fuzz::FailingCalls::fails() ? -1 : static_cast<int>(::syscall(SYS_fsync, file));
}
int fdatasync(int file)
{
    return fuzz::FailingCalls::fails() ? -1 : static_cast<int>(::syscall(SYS_fdatasync, file));
}
int ftruncate(int file, off_t size) noexcept
{
    return fuzz::FailingCalls::fails() ? -1
                                       : static_cast<int>(::syscall(SYS_ftruncate, file, size));
}
off_t lseek(int file, off_t to, int from) noexcept
{
    return fuzz::FailingCalls::fails() ? -1 : ::syscall(SYS_lseek, file, to, from);
}
int flock(int file, int how) noexcept
{
    return fuzz::FailingCalls::fails(true) ? -1 : static_cast<int>(::syscall(SYS_flock, file, how));
}
int fstat(int file, struct stat* status) noexcept
{
    return fuzz::FailingCalls::fails() ? -1 : static_cast<int>(::syscall(SYS_fstat, file, status));
}
int rename(const char* from, const char* to) noexcept
{
    return fuzz::FailingCalls::fails() ? -1 : static_cast<int>(::syscall(SYS_rename, from, to));
}
int link(const char* from, const char* to) noexcept
{
    return fuzz::FailingCalls::fails() ? -1 : static_cast<int>(::syscall(SYS_link, from, to));
}
}
