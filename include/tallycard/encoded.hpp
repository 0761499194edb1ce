// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/contract.hpp>

namespace tallycard {

// Up to N bytes in place: an encoded object, with no allocation. A value type.
template <std::size_t N>
class Encoded {
public:
    static constexpr std::size_t capacity = N;

    Encoded() = default;
    // Requires bytes.size() <= N.
    explicit Encoded(std::span<const std::uint8_t> bytes) { append(bytes); }

    // Requires that it still fits.
    void append(std::span<const std::uint8_t> bytes)
    {
        TALLYCARD_EXPECTS(bytes.size() <= N - size_);
        std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += bytes.size();
    }

    std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(size_); }
    operator std::span<const std::uint8_t>() const { return bytes(); }
    std::size_t size() const { return size_; }

    friend bool operator==(const Encoded& a, const Encoded& b)
    {
        return std::ranges::equal(a.bytes(), b.bytes());
    }

private:
    std::array<std::uint8_t, N> bytes_{};
    std::size_t size_ = 0;
};

}  // namespace tallycard
