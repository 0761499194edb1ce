// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "running_hash.hpp"

namespace tallycard {

// The lines of an exported ledger, one at a time, in bounded memory.
class LedgerReader {
public:
    static constexpr std::size_t longest_line = 1024;

    explicit LedgerReader(const std::string& path) : file_(path, std::ios::binary) { advance(); }

    bool is_open() const { return file_.is_open(); }
    // The line that is next, without its end; absent at the end, and where a line is too long or
    // does not end.
    const std::optional<std::string_view>& line() const { return line_; }
    bool at_end() const { return at_end_; }           // there is nothing at all after the last line
    std::uint64_t number() const { return number_; }  // of line(), from 1
    void advance();

    // SHA-256 of every line that was taken so far.
    Digest hash() const { return RunningHash(hash_).finish(); }

private:
    std::ifstream file_;
    std::array<char, longest_line + 2> buffer_;
    std::optional<std::string_view> line_;
    RunningHash hash_;
    std::uint64_t number_ = 0;
    bool at_end_ = false;
};

}  // namespace tallycard
