// SPDX-License-Identifier: Apache-2.0
// Lines that survive: each with a checksum over itself and all before it, appended durably, whole
// or not at all. First line: "tallycard-journal 1".
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/contract.hpp>
#include <tallycard/result.hpp>

namespace tallycard::journal {

Error damaged(std::size_t line);

class JournalFile {
public:
    static Result<std::unique_ptr<JournalFile>> open(const std::string& path,
                                                     std::chrono::milliseconds wait);
    JournalFile(const JournalFile&) = delete;
    JournalFile& operator=(const JournalFile&) = delete;
    ~JournalFile();

    // Without their checksums; the first one is line 2 of the file.
    const std::vector<std::string>& lines() const { return lines_; }
    void forget_lines() { lines_.clear(); }

    Result<void> append(std::span<const std::string> lines);
    // These lines in place of all that are there: the old file or the new one, after any cut.
    Result<void> replace(std::span<const std::string> lines);

private:
    JournalFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path))
    {
    }
    Result<void> load();
    Result<void> take(std::string_view text);
    Result<void> begin_anew();
    Result<void> undo(std::size_t size);

    int descriptor_;
    std::string path_;
    std::string check_;     // of the last line
    std::size_t size_ = 0;  // of what counts
    bool broken_ = false;   // the file may hold what was not to be in it
    std::vector<std::string> lines_;
};

}  // namespace tallycard::journal
