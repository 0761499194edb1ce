// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "faults.hpp"

namespace simulation {

// The platform's disk, in memory, under the real SQLite: files whose writes reach the disk when
// they are synced. A crash leaves of each later write nothing, a part by sectors, or all of it.
//
// SQLite finds it as its default file system while the object lives; one at a time.
class MemoryDisk {
public:
    static constexpr std::size_t sector = 512;
    using Bytes = std::vector<std::uint8_t>;

    explicit MemoryDisk(Injector& injector);
    MemoryDisk(const MemoryDisk&) = delete;
    MemoryDisk& operator=(const MemoryDisk&) = delete;
    ~MemoryDisk();

    // A file as if it had always been there.
    void put(const std::string& path, const Bytes& bytes);
    // All files as they are, when no database is open; and back.
    using Copy = std::map<std::string, Bytes>;
    Copy copy() const;
    void restore(const Copy& files);

    // The machine stopped: every call fails. restart() after the database was closed.
    void stop() { stopped_ = true; }
    bool stopped() const { return stopped_; }
    void restart(std::uint64_t chance);
    // Fullness and read-only mounts last until here.
    void recover() { refusal_ = 0; }

    // For the file system's functions.
    struct Write {
        std::size_t offset;
        Bytes bytes;  // or, where it is empty, a truncation to `offset`
    };
    struct Content {
        Bytes now, durable;
        std::vector<Write> unsynced;
    };
    // What was written reaches the disk.
    static void make_durable(Content& content);
    std::map<std::string, Content>& files() { return files_; }
    std::vector<Bytes>& shared_memory(const std::string& path) { return shared_[path]; }
    void drop_shared_memory(const std::string& path) { shared_.erase(path); }
    // SQLITE_OK, or what this write, sync or deletion has to answer.
    int event(bool is_sync);

private:
    Injector& injector_;
    std::map<std::string, Content> files_;
    std::map<std::string, std::vector<Bytes>> shared_;
    int refusal_ = 0;
    bool stopped_ = false;
};

}  // namespace simulation
