// SPDX-License-Identifier: Apache-2.0
// BER-TLV as docs/protocol.md, section 2, has it: one-byte tags, definite lengths in the shortest
// form, fields in the one order that is allowed. Allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/encoded.hpp>
#include <tallycard/export.hpp>
#include <tallycard/result.hpp>

namespace tallycard::tlv {

// Takes expected fields off the front of some bytes. The first surprise makes it fail, and it
// stays failed: what it returns from then on is empty or zero. Ask ok() or finish() at the end.
class TALLYCARD_EXPORT Decoder {
public:
    explicit Decoder(std::span<const std::uint8_t> bytes) : rest_(bytes), total_(bytes.size()) {}

    // The value of the next field, which must have this tag, and a size within these bounds.
    std::span<const std::uint8_t> field(std::uint8_t tag, std::size_t min, std::size_t max);

    template <std::size_t N>
    std::span<const std::uint8_t, N> field(std::uint8_t tag)
    {
        static constexpr std::array<std::uint8_t, N> nothing{};
        const auto value = field(tag, N, N);
        return ok_ ? value.template first<N>() : std::span(nothing);
    }
    std::uint64_t number(std::uint8_t tag, std::size_t size);  // big-endian, size 1 to 8

    // The next element whole, tag and length included; then decode it by itself.
    std::span<const std::uint8_t> element(std::uint8_t tag);
    // A decoder of what is inside the next element, which must have this tag.
    Decoder inside(std::uint8_t tag);

    bool next_is(std::uint8_t tag) const { return ok_ && !rest_.empty() && rest_.front() == tag; }
    void require(bool condition)
    {
        if (!condition) ok_ = false;
    }
    bool ok() const { return ok_; }
    bool at_end() const { return ok_ && rest_.empty(); }

    // Errc::malformed, with where it stopped, unless all went well and nothing is left.
    Result<void> finish(const char* where) const;

private:
    std::size_t length();
    std::span<const std::uint8_t> rest_;
    std::size_t total_;
    bool ok_ = true;
};

// Appends fields to a fixed buffer. Requires that they fit.
template <std::size_t N>
class Encoder {
public:
    void field(std::uint8_t tag, std::span<const std::uint8_t> value)
    {
        header(tag, value.size());
        out_.append(value);
    }
    void number(std::uint8_t tag, std::size_t size, std::uint64_t value)
    {
        std::array<std::uint8_t, 8> bytes{};
        for (std::size_t i = 0; i < size; ++i)
            bytes[i] = static_cast<std::uint8_t>(value >> 8 * (size - 1 - i));
        field(tag, std::span(bytes).first(size));
    }
    void raw(std::span<const std::uint8_t> bytes) { out_.append(bytes); }

    const Encoded<N>& fields() const { return out_; }
    // What was appended so far, as the value of this template.
    Encoded<N> in_template(std::uint8_t tag) const
    {
        Encoder whole;
        whole.field(tag, out_);
        return whole.out_;
    }

private:
    void header(std::uint8_t tag, std::size_t size)
    {
        const std::array<std::uint8_t, 4> bytes = {
            tag,
            static_cast<std::uint8_t>(size < 0x80    ? size
                                      : size < 0x100 ? 0x81
                                                     : 0x82),
            static_cast<std::uint8_t>(size < 0x100 ? size : size >> 8),
            static_cast<std::uint8_t>(size)};
        out_.append(std::span(bytes).first(size < 0x80 ? 2 : size < 0x100 ? 3 : 4));
    }
    Encoded<N> out_;
};

}  // namespace tallycard::tlv
