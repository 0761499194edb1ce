// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tallycard/result.hpp>

namespace tallycard {

// The whole file. Errc::file_missing; Errc::file_damaged when it is longer than `longest`;
// Errc::file_rejected (detail: errno).
Result<std::string> read_text(const std::string& path, std::size_t longest, const char* where);

// A new file of mode 0600 that grows by whole pieces: a process that is killed leaves what it
// wrote. Not thread-safe.
class TextWriter {
public:
    // Errc::file_exists: what is there is never touched. Errc::file_missing: no such folder.
    static Result<TextWriter> create(const std::string& path, const char* where);
    TextWriter(TextWriter&& other) noexcept;
    TextWriter(const TextWriter&) = delete;
    TextWriter& operator=(const TextWriter&) = delete;
    TextWriter& operator=(TextWriter&&) = delete;
    ~TextWriter();

    // The first piece that the system refuses is the last one.
    void append(std::string_view text) noexcept;

private:
    explicit TextWriter(int file) : file_(file) {}
    void close() noexcept;
    int file_;
};

}  // namespace tallycard
