// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

#include "storage.hpp"

namespace tallycard::chip {

// A file that only its owner may read, locked (flock) for as long as this lives.
class TALLYCARD_EXPORT FileStorage final : public Storage {
public:
    // Errc::file_missing; Errc::file_in_use; Errc::file_rejected (detail: errno).
    static Result<std::unique_ptr<FileStorage>> open(const std::string& path, bool durable);
    // A new file, mode 0600, without a name as yet: publish() gives it `path`, so that nobody ever
    // finds half a file.
    static Result<std::unique_ptr<FileStorage>> create(const std::string& path, bool durable);
    // Errc::file_exists when another one was quicker.
    Result<void> publish();
    ~FileStorage() override;

    bool read(std::size_t offset, std::span<std::uint8_t> out) override;
    bool write(std::size_t offset, std::span<const std::uint8_t> bytes) override;
    bool sync() override;

private:
    FileStorage(int descriptor, std::string path, bool durable)
        : descriptor_(descriptor), path_(std::move(path)), durable_(durable)
    {
    }
    Result<void> sync_directory() const;

    int descriptor_;
    std::string path_;
    std::string draft_path_;  // until published
    bool durable_;
};

}  // namespace tallycard::chip
