// SPDX-License-Identifier: Apache-2.0
#include "tlv.hpp"

namespace tallycard::tlv {

std::size_t Decoder::length()
{
    const auto byte = [this]() -> std::size_t {
        if (rest_.empty()) {
            ok_ = false;
            return 0;
        }
        const auto b = rest_.front();
        rest_ = rest_.subspan(1);
        return b;
    };

    const auto first = byte();
    if (first <= 0x7F) return first;
    if (first == 0x81) {
        const auto length = byte();
        require(length >= 0x80);
        return length;
    }
    if (first == 0x82) {
        const auto high = byte();
        const auto length = high << 8 | byte();
        require(length >= 0x100);
        return length;
    }
    ok_ = false;
    return 0;
}

std::span<const std::uint8_t> Decoder::field(std::uint8_t tag, std::size_t min, std::size_t max)
{
    if (!next_is(tag)) {
        ok_ = false;
        return {};
    }
    rest_ = rest_.subspan(1);
    const auto size = length();
    require(size >= min && size <= max && size <= rest_.size());
    if (!ok_) return {};
    const auto value = rest_.first(size);
    rest_ = rest_.subspan(size);
    return value;
}

std::uint64_t Decoder::number(std::uint8_t tag, std::size_t size)
{
    std::uint64_t n = 0;
    for (const auto b : field(tag, size, size)) n = n << 8 | b;
    return n;
}

std::span<const std::uint8_t> Decoder::element(std::uint8_t tag)
{
    const auto before = rest_;
    field(tag, 0, before.size());
    return ok_ ? before.first(before.size() - rest_.size()) : before.first(0);
}

Decoder Decoder::inside(std::uint8_t tag)
{
    Decoder inner(field(tag, 0, rest_.size()));
    inner.ok_ = ok_;
    inner.total_ = total_ - rest_.size();  // so that offsets count from the outermost byte
    return inner;
}

Result<void> Decoder::finish(const char* where) const
{
    if (at_end()) return {};
    return Error{.code = Errc::malformed,
                 .detail = static_cast<std::uint32_t>(total_ - rest_.size()),
                 .where = where};
}

}  // namespace tallycard::tlv
