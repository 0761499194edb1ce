// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/apdu.hpp>
#include <tallycard/export.hpp>
#include <tallycard/status_word.hpp>

namespace tallycard::chip {

// A command APDU as the card sees it: a view of the bytes that came.
struct TALLYCARD_EXPORT Command {
    apdu::Header header;
    std::span<const std::uint8_t> data;
    std::optional<std::size_t> expected;  // Le, 1 to 256
    bool well_formed = false;             // a short APDU whose lengths agree with its size

    // Requires 4 bytes at least.
    static Command parse(std::span<const std::uint8_t> bytes);
};

// Where a command's response data goes.
class Answer {
public:
    explicit Answer(std::span<std::uint8_t> out) : out_(out) {}

    void expect(std::size_t size) { expected_ = size; }  // Le

    // ok, or 6Cxx where the reader asked for less than this many bytes. Ask before changing
    // anything.
    StatusWord room_for(std::size_t size) const
    {
        if (size <= expected_) return sw::ok;
        return StatusWord(static_cast<std::uint16_t>(0x6C00u | (size & 0xFFu)));
    }
    std::size_t expected() const { return expected_; }
    // The next `size` bytes of the answer, to be filled. Requires that they fit.
    std::span<std::uint8_t> extend(std::size_t size);
    void put(std::span<const std::uint8_t> bytes);
    std::size_t size() const { return size_; }

private:
    std::span<std::uint8_t> out_;
    std::size_t expected_ = 0;
    std::size_t size_ = 0;
};

}  // namespace tallycard::chip
