// SPDX-License-Identifier: Apache-2.0
#include "vpcd_framing.hpp"

#include <algorithm>

#include <tallycard/contract.hpp>
#include <tallycard/secret.hpp>

namespace tallycard::chip {
namespace {

using vpcd::length_size;

std::optional<VpcdMessage::Kind> control(std::uint8_t byte)
{
    switch (vpcd::Control(byte)) {
    case vpcd::Control::power_off: return VpcdMessage::Kind::power_off;
    case vpcd::Control::power_on: return VpcdMessage::Kind::power_on;
    case vpcd::Control::reset: return VpcdMessage::Kind::reset;
    case vpcd::Control::get_atr: return VpcdMessage::Kind::get_atr;
    }
    return std::nullopt;
}

}  // namespace

VpcdDecoder::~VpcdDecoder()
{
    detail::erase(std::span(buffer_).first(size_));
}

std::span<std::uint8_t> VpcdDecoder::space()
{
    drop_given();
    return std::span(buffer_).subspan(size_);
}

void VpcdDecoder::received(std::size_t count)
{
    drop_given();
    TALLYCARD_EXPECTS(count <= buffer_.size() - size_);
    size_ += count;
}

Result<std::optional<VpcdMessage>> VpcdDecoder::next()
{
    drop_given();
    const Error malformed{.code = Errc::malformed, .detail = position_, .where = "vpcd message"};
    if (failed_) return malformed;
    if (size_ < length_size) return std::optional<VpcdMessage>();
    const auto length = static_cast<std::size_t>(buffer_[0] << 8 | buffer_[1]);
    failed_ = length == 0;
    if (failed_) return malformed;
    if (size_ < length_size + length) return std::optional<VpcdMessage>();

    given_ = length_size + length;
    const auto payload = std::span<const std::uint8_t>(buffer_).subspan(length_size, length);
    if (length > 1) return std::optional(VpcdMessage{VpcdMessage::Kind::command, payload});
    const auto kind = control(payload[0]);
    failed_ = !kind.has_value();
    if (failed_) return malformed;
    return std::optional(VpcdMessage{*kind, {}});
}

void VpcdDecoder::drop_given()
{
    if (given_ == 0) return;
    const auto used = std::span(buffer_).first(size_);
    std::ranges::copy(used.subspan(given_), used.begin());
    detail::erase(used.last(given_));
    size_ -= given_;
    position_ += static_cast<std::uint32_t>(given_);
    given_ = 0;
}

}  // namespace tallycard::chip
