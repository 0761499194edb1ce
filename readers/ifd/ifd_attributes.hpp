// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ifd_reader.hpp"

namespace tallycard::ifd {

// The bytes of an attribute of one slot (SCARD_ATTR_..., TAG_IFD_...); empty for an unknown tag,
// and for what only a card that is powered on has.
std::optional<std::string> attribute(const IfdReader& reader, std::size_t slot_number,
                                     unsigned long tag);

}  // namespace tallycard::ifd
