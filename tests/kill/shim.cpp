// SPDX-License-Identifier: Apache-2.0
#include "shim.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>

#include <algorithm>
#include <random>
#include <vector>

#include "disk_change.hpp"

namespace testing::shim {
namespace {

struct State {
    Plan plan;
    bool is_active = false;
    int calls = 0;
    std::vector<Change> unsynced;
};

State& state()
{
    static State the_state;
    return the_state;
}

std::string path_of(int descriptor)
{
    char link[64], path[PATH_MAX];
    std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const auto size = ::readlink(link, path, sizeof path);
    return size < 0 ? std::string() : std::string(path, static_cast<std::size_t>(size));
}

bool concerns(const std::string& path)
{
    const auto& folder = state().plan.folder;
    // What SQLite's processes share in memory is not on the disk.
    return (path + '/').starts_with(folder) && !path.ends_with("-shm");
}

[[noreturn]] void die()
{
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

[[noreturn]] void lose_power(bool keep_some)
{
    auto& changes = state().unsynced;
    state().is_active = false;
    std::mt19937_64 random(state().plan.seed);
    // In order, whole files: what is kept is kept together with the names that it needs.
    const bool names_stay = keep_some && random() % 2 == 0;
    std::for_each(changes.rbegin(), changes.rend(), [&](const Change& change) {
        const bool is_name =
            change.what == Change::What::make || change.what == Change::What::rename;
        if (!is_name || !names_stay) undo(change);
    });
    if (keep_some) {
        for (const auto& change : changes)
            if (random() % 2 == 0 && ::access(change.path.c_str(), F_OK) == 0) redo(change);
    }
    die();
}

// One more call. The error that it fails with, or 0; it may not come back.
int strike()
{
    auto& now = state();
    const auto& plan = now.plan;
    const bool is_due = ++now.calls == plan.at;
    switch (plan.how) {
    case How::count: return 0;
    case How::kill_in:
    case How::kill_before:
        if (is_due) die();
        return 0;
    case How::drop_unsynced:
    case How::keep_some:
        if (is_due) lose_power(plan.how == How::keep_some);
        return 0;
    case How::fail_once: return is_due ? plan.error : 0;
    case How::fail_for_good: return now.calls >= plan.at ? plan.error : 0;
    }
    return 0;
}

void remember_write(const std::string& path, off_t offset, const void* bytes, std::size_t size)
{
    Change change{.what = Change::What::write, .path = path, .offset = offset};
    change.old_bytes = bytes_at(path, offset, size);
    change.new_bytes.assign(static_cast<const char*>(bytes), size);
    change.old_size = size_of(path);
    state().unsynced.push_back(std::move(change));
}

void forget(const std::string& path)
{
    struct stat status {};
    const bool is_folder = ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    std::erase_if(state().unsynced, [&](const Change& change) {
        const bool is_name =
            change.what == Change::What::make || change.what == Change::What::rename;
        if (!is_folder) return !is_name && change.path == path;
        if (change.what == Change::What::rename) ::unlink((change.path + ".before").c_str());
        return is_name && change.path.starts_with(path + '/');
    });
}

template <class Write>
ssize_t write_at(const std::string& path, off_t offset, const void* bytes, std::size_t size,
                 const Write& write)
{
    const auto& plan = state().plan;
    if (plan.how == How::kill_in && state().calls + 1 == plan.at) {
        (void)write(size / 2);
        die();
    }
    if (const int error = strike()) {
        errno = error;
        return -1;
    }
    remember_write(path, offset, bytes, size);
    return write(size);
}

int sync(int descriptor, const char* name)
{
    const auto call = next<int (*)(int)>(name);
    if (!state().is_active) return call(descriptor);
    const auto path = path_of(descriptor);
    // The folder that the files are in: their names are durable, and nothing is counted.
    if (state().plan.folder.starts_with(path + '/')) forget(path);
    if (!concerns(path)) return call(descriptor);
    if (const int error = strike()) {
        errno = error;
        return -1;
    }
    forget(path);
    return call(descriptor);
}

int cut(int descriptor, off_t size)
{
    const auto call = next<int (*)(int, off_t)>("ftruncate");
    if (!state().is_active) return call(descriptor, size);
    const auto path = path_of(descriptor);
    if (!concerns(path)) return call(descriptor, size);
    if (const int error = strike()) {
        errno = error;
        return -1;
    }
    Change change{.what = Change::What::truncate, .path = path, .offset = size};
    change.old_size = size_of(path);
    change.new_size = size;
    if (change.old_size > size)
        change.old_bytes = bytes_at(path, size, static_cast<std::size_t>(change.old_size - size));
    state().unsynced.push_back(std::move(change));
    return call(descriptor, size);
}

int open_file(const char* path, int flags, mode_t mode)
{
    const auto call = next<int (*)(const char*, int, ...)>("open");
    const bool makes =
        state().is_active && (flags & O_CREAT) != 0 && concerns(path) && ::access(path, F_OK) != 0;
    if (!makes) return call(path, flags, mode);
    if (const int error = strike()) {
        errno = error;
        return -1;
    }
    state().unsynced.push_back({.what = Change::What::make, .path = path});
    return call(path, flags, mode);
}

}  // namespace

void begin(Plan plan)
{
    state() = {.plan = std::move(plan), .is_active = true, .calls = 0, .unsynced = {}};
}

int end()
{
    state().is_active = false;
    return state().calls;
}

}  // namespace testing::shim

using namespace testing;

extern "C" {

ssize_t write(int descriptor, const void* bytes, std::size_t size)
{
    const auto call = shim::next<ssize_t (*)(int, const void*, std::size_t)>("write");
    if (!shim::state().is_active) return call(descriptor, bytes, size);
    const auto path = shim::path_of(descriptor);
    if (!shim::concerns(path)) return call(descriptor, bytes, size);
    return shim::write_at(path, ::lseek(descriptor, 0, SEEK_CUR), bytes, size,
                          [&](std::size_t n) { return call(descriptor, bytes, n); });
}

ssize_t pwrite(int descriptor, const void* bytes, std::size_t size, off_t offset)
{
    const auto call = shim::next<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite");
    if (!shim::state().is_active) return call(descriptor, bytes, size, offset);
    const auto path = shim::path_of(descriptor);
    if (!shim::concerns(path)) return call(descriptor, bytes, size, offset);
    return shim::write_at(path, offset, bytes, size,
                          [&](std::size_t n) { return call(descriptor, bytes, n, offset); });
}

ssize_t pwrite64(int descriptor, const void* bytes, std::size_t size, off64_t offset)
{
    return pwrite(descriptor, bytes, size, offset);
}

int fsync(int descriptor)
{
    return shim::sync(descriptor, "fsync");
}

int fdatasync(int descriptor)
{
    return shim::sync(descriptor, "fdatasync");
}

int ftruncate(int descriptor, off_t size) noexcept
{
    return shim::cut(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) noexcept
{
    return shim::cut(descriptor, size);
}

int rename(const char* from, const char* to) noexcept
{
    const auto call = shim::next<int (*)(const char*, const char*)>("rename");
    if (!shim::state().is_active || !shim::concerns(to)) return call(from, to);
    if (const int error = shim::strike()) {
        errno = error;
        return -1;
    }
    (void)!::link(to, (std::string(to) + ".before").c_str());
    shim::state().unsynced.push_back(
        {.what = shim::Change::What::rename, .path = to, .from = from});
    return call(from, to);
}

int open(const char* path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return shim::open_file(path, flags, mode);
}

int open64(const char* path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const auto mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return shim::open_file(path, flags, mode);
}

}  // extern "C"
