// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/fixed_bytes.hpp>

namespace tallycard {

TALLYCARD_EXPORT Digest sha256(std::span<const std::uint8_t> bytes);

}  // namespace tallycard
