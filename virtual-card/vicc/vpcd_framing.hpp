// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

#include "../../readers/vpcd/vpcd_protocol.hpp"

namespace tallycard::chip {

// What a vpcd reader says to a card.
struct VpcdMessage {
    enum class Kind : std::uint8_t { power_off, power_on, reset, get_atr, command };
    Kind kind;
    std::span<const std::uint8_t> command;  // empty for a control
};

// Cuts what a reader sends into messages, in whatever pieces it comes. Strict: the first thing that
// is no message fails, and it stays failed. Allocates nothing.
class TALLYCARD_EXPORT VpcdDecoder {
public:
    static constexpr std::size_t max_message = vpcd::max_message;

    VpcdDecoder() = default;
    VpcdDecoder(const VpcdDecoder&) = delete;
    VpcdDecoder& operator=(const VpcdDecoder&) = delete;
    ~VpcdDecoder();

    // Where to put what comes next; never empty once next() has answered that nothing is complete.
    // A message that was given out ends here, and is erased: it may have held a PIN.
    std::span<std::uint8_t> space();
    // How much of that was filled. Requires count <= space().size().
    void received(std::size_t count);

    // The next complete message, valid until the next call of anything here; empty when more bytes
    // are needed. Errc::malformed (detail: the byte of the stream where it stops making sense).
    Result<std::optional<VpcdMessage>> next();

private:
    void drop_given();

    std::array<std::uint8_t, vpcd::length_size + max_message> buffer_{};
    std::size_t size_ = 0;
    std::size_t given_ = 0;  // bytes of the message that next() gave out, at the front
    std::uint32_t position_ = 0;
    bool failed_ = false;
};

}  // namespace tallycard::chip
