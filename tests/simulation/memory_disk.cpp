// SPDX-License-Identifier: Apache-2.0
#include "memory_disk.hpp"

#include <algorithm>
#include <span>

#include <sqlite3.h>

#include "memory_vfs.hpp"
#include "random.hpp"

namespace simulation {
namespace {

void put_at(MemoryDisk::Bytes& file, std::size_t offset, std::span<const std::uint8_t> bytes)
{
    if (file.size() < offset + bytes.size()) file.resize(offset + bytes.size());
    std::ranges::copy(bytes, file.begin() + static_cast<std::ptrdiff_t>(offset));
}

// Of a write that was not synced, each sector arrived or did not.
void scatter(MemoryDisk::Bytes& durable, const MemoryDisk::Write& write, Random& random)
{
    const auto luck = random.below(3);
    if (luck == 0) return;
    if (write.bytes.empty()) {
        durable.resize(write.offset);
        return;
    }
    const std::span bytes(write.bytes);
    for (std::size_t at = 0; at < bytes.size(); at += MemoryDisk::sector) {
        if (luck == 1 && random.one_in(2)) continue;
        put_at(durable, write.offset + at,
               bytes.subspan(at, std::min(MemoryDisk::sector, bytes.size() - at)));
    }
}

}  // namespace

MemoryDisk::MemoryDisk(Injector& injector) : injector_(injector)
{
    vfs::attach(*this);
}

MemoryDisk::~MemoryDisk()
{
    vfs::detach();
}

void MemoryDisk::put(const std::string& path, const Bytes& bytes)
{
    files_[path] = {bytes, bytes, {}};
}

MemoryDisk::Copy MemoryDisk::copy() const
{
    Copy copy;
    for (const auto& [path, content] : files_) copy[path] = content.now;
    return copy;
}

void MemoryDisk::restore(const Copy& files)
{
    files_.clear();
    shared_.clear();
    for (const auto& [path, bytes] : files) put(path, bytes);
}

void MemoryDisk::restart(std::uint64_t chance)
{
    Random random(chance);
    for (auto& [path, content] : files_) {
        for (const auto& write : content.unsynced) scatter(content.durable, write, random);
        content.unsynced.clear();
        content.now = content.durable;
    }
    shared_.clear();
    stopped_ = false;
    refusal_ = 0;
}

void MemoryDisk::make_durable(Content& content)
{
    for (const auto& write : content.unsynced) {
        if (write.bytes.empty()) {
            content.durable.resize(write.offset);
        } else {
            put_at(content.durable, write.offset, write.bytes);
        }
    }
    content.unsynced.clear();
}

int MemoryDisk::event(bool is_sync)
{
    if (stopped_) return is_sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
    if (refusal_ != 0 && !is_sync) return refusal_;
    const auto* fault = injector_.event(Place::disk);
    if (fault == nullptr) return SQLITE_OK;
    if (fault->kind == FaultKind::platform_crash_at_write) {
        stopped_ = true;
        return SQLITE_IOERR_WRITE;
    }
    if (fault->kind == FaultKind::sync_fails) return is_sync ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    refusal_ = fault->kind == FaultKind::disk_full ? SQLITE_FULL : SQLITE_READONLY;
    return is_sync ? SQLITE_OK : refusal_;
}

}  // namespace simulation
