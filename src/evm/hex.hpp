// SPDX-License-Identifier: Apache-2.0
// Numbers and bytes as JSON-RPC writes them: "0x1f", "0x00ff".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tallycard/fixed_bytes.hpp>

namespace tallycard::evm {

using Bytes = std::vector<std::uint8_t>;

std::string quantity(std::uint64_t number);
inline std::string to_data(std::span<const std::uint8_t> bytes)
{
    return "0x" + to_hex(bytes);
}

// No leading zeros; nothing above 2^64−1.
std::optional<std::uint64_t> parse_quantity(std::string_view text);
std::optional<Bytes> parse_data(std::string_view text);

template <class T>
std::optional<T> parse_bytes(std::string_view text)
{
    const auto bytes = parse_data(text);
    if (!bytes || bytes->size() != T::size) return std::nullopt;
    return T(std::span(*bytes).template first<T::size>());
}

}  // namespace tallycard::evm
