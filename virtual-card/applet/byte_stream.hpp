// SPDX-License-Identifier: Apache-2.0
// Fixed layouts: big-endian numbers and byte strings, one after the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/contract.hpp>

namespace tallycard::chip {

// Fills a buffer from its start. Requires that what is written fits.
class ByteWriter {
public:
    explicit ByteWriter(std::span<std::uint8_t> out) : rest_(out) {}

    void bytes(std::span<const std::uint8_t> source)
    {
        TALLYCARD_EXPECTS(source.size() <= rest_.size());
        std::ranges::copy(source, rest_.begin());
        rest_ = rest_.subspan(source.size());
    }
    void number(std::size_t size, std::uint64_t value)
    {
        TALLYCARD_EXPECTS(size <= rest_.size());
        for (std::size_t i = 0; i < size; ++i)
            rest_[i] = static_cast<std::uint8_t>(value >> 8 * (size - 1 - i));
        rest_ = rest_.subspan(size);
    }
    bool full() const { return rest_.empty(); }

private:
    std::span<std::uint8_t> rest_;
};

// Takes values off a buffer's start. Requires that they are there; stays failed once a value was
// not what it must be.
class ByteReader {
public:
    explicit ByteReader(std::span<const std::uint8_t> in) : rest_(in) {}

    void bytes(std::span<std::uint8_t> out)
    {
        TALLYCARD_EXPECTS(out.size() <= rest_.size());
        std::ranges::copy(rest_.first(out.size()), out.begin());
        rest_ = rest_.subspan(out.size());
    }
    std::uint64_t number(std::size_t size)
    {
        TALLYCARD_EXPECTS(size <= rest_.size());
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < size; ++i) value = value << 8 | rest_[i];
        rest_ = rest_.subspan(size);
        return value;
    }
    void require(bool condition) { ok_ = ok_ && condition; }
    bool ok() const { return ok_; }

private:
    std::span<const std::uint8_t> rest_;
    bool ok_ = true;
};

}  // namespace tallycard::chip
