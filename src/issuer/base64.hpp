// SPDX-License-Identifier: Apache-2.0
// Base64 with padding (RFC 4648, section 4), in its one canonical form.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tallycard::base64 {

std::string encode(std::span<const std::uint8_t> bytes);

// Fills `out` exactly from what encode() makes of that many bytes, or returns false.
bool decode(std::string_view text, std::span<std::uint8_t> out);
// However many bytes they are.
std::optional<std::vector<std::uint8_t>> decode(std::string_view text);

}  // namespace tallycard::base64
