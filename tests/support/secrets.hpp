// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace testing {

// A secret, or a value of a fixed size, of one byte repeated.
template <class S>
S secret_of(std::uint8_t byte)
{
    std::array<std::uint8_t, S::size> bytes;
    bytes.fill(byte);
    return S(bytes);
}
template <class T>
T bytes_value(std::uint8_t byte)
{
    std::array<std::uint8_t, T::size> bytes;
    bytes.fill(byte);
    return T(std::span<const std::uint8_t, T::size>(bytes));
}

}  // namespace testing
