// SPDX-License-Identifier: Apache-2.0
#include "vscard_framing.hpp"

#include <algorithm>

#include <tallycard/contract.hpp>
#include <tallycard/secret.hpp>

namespace tallycard::chip {
namespace {

constexpr std::array<std::uint8_t, 4> magic = {'V', 'S', 'C', 'D'};
// Eleven bits of major version, eleven of middle and ten of minor: 0.0.2.
constexpr std::uint32_t version = 2, major_shift = 21;
constexpr std::size_t type_at = 0, reader_at = 4, length_at = 8;
constexpr std::size_t version_at = magic.size();
constexpr std::size_t max_init_size = 256;  // capabilities may be added, some day

std::uint32_t number_at(std::span<const std::uint8_t> bytes, std::size_t at)
{
    std::uint32_t number = 0;
    for (const auto byte : bytes.subspan(at, 4)) number = number << 8 | byte;
    return number;
}

void put_number(std::span<std::uint8_t> out, std::size_t at, std::uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        out[at++] = static_cast<std::uint8_t>(number >> shift);
}

// Empty for what no host sends.
std::optional<VscardType> type_of_host(std::uint32_t number)
{
    const auto type = static_cast<VscardType>(number);
    switch (type) {
    case VscardType::init:
    case VscardType::error:
    case VscardType::apdu:
    case VscardType::flush: return type;
    case VscardType::reader_add:
    case VscardType::reader_remove:
    case VscardType::atr:
    case VscardType::card_remove:
    case VscardType::flush_complete: return std::nullopt;
    }
    return std::nullopt;
}

// An APDU of any length is a guest's affair: the card refuses it.
bool length_fits(VscardType type, std::uint32_t length)
{
    switch (type) {
    case VscardType::init:
        return length >= vscard_init_size && length <= max_init_size && length % 4 == 0;
    case VscardType::error: return length == vscard_error_size;
    case VscardType::apdu: return length <= VscardDecoder::max_payload;
    case VscardType::flush:
    case VscardType::reader_add:
    case VscardType::reader_remove:
    case VscardType::atr:
    case VscardType::card_remove:
    case VscardType::flush_complete: return length == 0;
    }
    return false;
}

// Where the payload stops making sense; its size when it does not.
std::size_t sense_in(VscardType type, std::span<const std::uint8_t> payload)
{
    if (type == VscardType::error) {
        const auto greatest = static_cast<std::uint32_t>(VscardError::card_already_inserted);
        return number_at(payload, 0) <= greatest ? payload.size() : 0;
    }
    if (type != VscardType::init) return payload.size();
    if (!std::ranges::equal(payload.first(magic.size()), magic)) return 0;
    return number_at(payload, version_at) >> major_shift == 0 ? payload.size() : version_at;
}

}  // namespace

VscardDecoder::~VscardDecoder()
{
    detail::erase(std::span(buffer_).first(size_));
}

std::span<std::uint8_t> VscardDecoder::space()
{
    drop_given();
    return std::span(buffer_).subspan(size_);
}

void VscardDecoder::received(std::size_t count)
{
    drop_given();
    TALLYCARD_EXPECTS(count <= buffer_.size() - size_);
    size_ += count;
}

Result<std::optional<VscardMessage>> VscardDecoder::next()
{
    drop_given();
    if (failure_) return *failure_;
    if (size_ < vscard_header_size) return std::optional<VscardMessage>();
    const auto used = std::span<const std::uint8_t>(buffer_).first(size_);
    const auto type = type_of_host(number_at(used, type_at));
    if (!type) return fail(type_at);
    const auto length = number_at(used, length_at);
    if (!length_fits(*type, length)) return fail(length_at);
    if (size_ < vscard_header_size + length) return std::optional<VscardMessage>();

    const auto payload = used.subspan(vscard_header_size, length);
    const auto sense = sense_in(*type, payload);
    if (sense != length) return fail(vscard_header_size + sense);
    given_ = vscard_header_size + length;
    VscardMessage message{.type = *type, .reader = number_at(used, reader_at), .payload = payload};
    if (*type == VscardType::error) message.error = static_cast<VscardError>(number_at(payload, 0));
    return std::optional(message);
}

Error VscardDecoder::fail(std::size_t at)
{
    failure_ = Error{.code = Errc::malformed,
                     .detail = position_ + static_cast<std::uint32_t>(at),
                     .where = "VSCard message"};
    return *failure_;
}

void VscardDecoder::drop_given()
{
    if (given_ == 0) return;
    const auto used = std::span(buffer_).first(size_);
    std::ranges::copy(used.subspan(given_), used.begin());
    detail::erase(used.last(given_));
    size_ -= given_;
    position_ += static_cast<std::uint32_t>(given_);
    given_ = 0;
}

std::array<std::uint8_t, vscard_header_size> vscard_header(VscardType type, std::uint32_t reader,
                                                           std::size_t size)
{
    std::array<std::uint8_t, vscard_header_size> header{};
    put_number(header, type_at, static_cast<std::uint32_t>(type));
    put_number(header, reader_at, reader);
    put_number(header, length_at, static_cast<std::uint32_t>(size));
    return header;
}

std::array<std::uint8_t, vscard_init_size> vscard_init()
{
    std::array<std::uint8_t, vscard_init_size> init{};
    std::ranges::copy(magic, init.begin());
    put_number(init, version_at, version);
    return init;
}

std::array<std::uint8_t, vscard_error_size> vscard_error(VscardError error)
{
    std::array<std::uint8_t, vscard_error_size> payload{};
    put_number(payload, 0, static_cast<std::uint32_t>(error));
    return payload;
}

}  // namespace tallycard::chip
