// SPDX-License-Identifier: Apache-2.0
#include "memory_vfs.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <span>

#include <sqlite3.h>

// One connection at a time has a file open, so that locks are granted as they are asked for.
namespace simulation::vfs {
namespace {

MemoryDisk* attached = nullptr;

struct File {
    sqlite3_file base;
    std::string* path;
    bool temporary;
};

File* mine(sqlite3_file* file)
{
    return reinterpret_cast<File*>(file);
}

MemoryDisk::Content& content(sqlite3_file* file)
{
    return attached->files()[*mine(file)->path];
}

int close_file(sqlite3_file* file)
{
    auto* const self = mine(file);
    if (self->temporary) attached->files().erase(*self->path);
    delete self->path;
    self->path = nullptr;
    return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* out, int count, sqlite3_int64 offset)
{
    if (attached->stopped()) return SQLITE_IOERR_READ;
    const auto& bytes = content(file).now;
    const auto size = static_cast<std::size_t>(count), from = static_cast<std::size_t>(offset);
    const auto available = from < bytes.size() ? std::min(size, bytes.size() - from) : 0;
    if (available > 0) std::memcpy(out, bytes.data() + from, available);
    if (available == size) return SQLITE_OK;
    std::memset(static_cast<char*>(out) + available, 0, size - available);
    return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset)
{
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    const auto size = static_cast<std::size_t>(count), from = static_cast<std::size_t>(offset);
    if (attached->stopped()) return SQLITE_IOERR_WRITE;
    const int code = attached->event(false);
    auto& to = content(file);
    if (code == SQLITE_OK || attached->stopped())  // a part of the last write may arrive
        to.unsynced.push_back({from, MemoryDisk::Bytes(bytes, bytes + size)});
    if (code != SQLITE_OK) return code;
    if (to.now.size() < from + size) to.now.resize(from + size);
    std::memcpy(to.now.data() + from, bytes, size);
    return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size)
{
    if (const int code = attached->event(false); code != SQLITE_OK) return code;
    auto& to = content(file);
    to.now.resize(static_cast<std::size_t>(size));
    to.unsynced.push_back({static_cast<std::size_t>(size), {}});
    return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int)
{
    if (const int code = attached->event(true); code != SQLITE_OK) return code;
    MemoryDisk::make_durable(content(file));
    return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size)
{
    *size = static_cast<sqlite3_int64>(content(file).now.size());
    return SQLITE_OK;
}

int lock(sqlite3_file*, int)
{
    return SQLITE_OK;
}

int is_reserved(sqlite3_file*, int* reserved)
{
    *reserved = 0;
    return SQLITE_OK;
}

int control(sqlite3_file*, int, void*)
{
    return SQLITE_NOTFOUND;
}

int sector_size(sqlite3_file*)
{
    return static_cast<int>(MemoryDisk::sector);
}

int characteristics(sqlite3_file*)
{
    return 0;
}

int map_shared(sqlite3_file* file, int region, int size, int, void volatile** out)
{
    auto& regions = attached->shared_memory(*mine(file)->path);
    while (regions.size() <= static_cast<std::size_t>(region))
        regions.emplace_back(static_cast<std::size_t>(size));
    *out = regions[static_cast<std::size_t>(region)].data();
    return SQLITE_OK;
}

int lock_shared(sqlite3_file*, int, int, int)
{
    return SQLITE_OK;
}

void barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* file, int)
{
    attached->drop_shared_memory(*mine(file)->path);
    return SQLITE_OK;
}

const sqlite3_io_methods methods = {
    2,           close_file, read_file,    write_file, truncate_file, sync_file,       size_of_file,
    lock,        lock,       is_reserved,  control,    sector_size,   characteristics, map_shared,
    lock_shared, barrier,    unmap_shared, nullptr,    nullptr,
};

int open_file(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags)
{
    static unsigned temporaries = 0;
    file->pMethods = nullptr;
    const std::string name = path != nullptr ? path : "temporary-" + std::to_string(++temporaries);
    if ((flags & SQLITE_OPEN_CREATE) == 0 && !attached->files().contains(name))
        return SQLITE_CANTOPEN;
    auto* const self = new (file) File{{&methods}, new std::string(name), false};
    self->temporary = path == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    attached->files()[name];
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* path, int)
{
    if (const int code = attached->event(false); code != SQLITE_OK) return SQLITE_IOERR_DELETE;
    attached->files().erase(path);
    return SQLITE_OK;
}

int access_file(sqlite3_vfs*, const char* path, int, int* there)
{
    *there = attached->files().contains(path) ? 1 : 0;
    return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out)
{
    sqlite3_snprintf(size, out, "%s", path);
    return SQLITE_OK;
}

int randomness(sqlite3_vfs*, int size, char* out)
{
    std::memset(out, 0x5A, static_cast<std::size_t>(size));
    return size;
}

int sleep_for(sqlite3_vfs*, int microseconds)
{
    return microseconds;
}

int current_time(sqlite3_vfs*, double* now)
{
    *now = 2460000.5;
    return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*)
{
    return 0;
}

sqlite3_vfs file_system = {
    1,         sizeof(File), 512,         nullptr,   "simulation", nullptr,
    open_file, delete_file,  access_file, full_path, nullptr,      nullptr,
    nullptr,   nullptr,      randomness,  sleep_for, current_time, last_error,
    nullptr,   nullptr,      nullptr,     nullptr,
};

}  // namespace

void attach(MemoryDisk& disk)
{
    attached = &disk;
    sqlite3_vfs_register(&file_system, 1);
    sqlite3_randomness(0, nullptr);  // SQLite's own numbers begin again
}

void detach()
{
    sqlite3_vfs_unregister(&file_system);
    attached = nullptr;
}

}  // namespace simulation::vfs
