// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <tallycard/encoded.hpp>

namespace tallycard {

// What is signed: tag, zero byte, object (docs/protocol.md, section 4). The zero ends `domain`.
class SignedMessage {
public:
    static constexpr std::size_t max_object = 256;

    SignedMessage(std::string_view domain, std::span<const std::uint8_t> object)
    {
        bytes_.append({reinterpret_cast<const std::uint8_t*>(domain.data()), domain.size()});
        bytes_.append(object);
    }
    std::span<const std::uint8_t> bytes() const { return bytes_; }

private:
    Encoded<max_object + 32> bytes_;
};

}  // namespace tallycard
