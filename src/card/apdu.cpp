// SPDX-License-Identifier: Apache-2.0
#include <tallycard/apdu.hpp>

#include <algorithm>

#include <tallycard/contract.hpp>
#include <tallycard/secret.hpp>

namespace tallycard::apdu {

namespace {
constexpr std::size_t header_size = 4;
}

Command::Command(Header header, std::span<const std::uint8_t> data, std::size_t expected)
    : buffer_{header.cla, header.ins, header.p1, header.p2},
      size_(header_size),
      data_size_(data.size()),
      expected_(expected)
{
    TALLYCARD_EXPECTS(data.size() <= max_data);
    TALLYCARD_EXPECTS(expected <= any_length);
    if (!data.empty()) {
        buffer_[size_++] = static_cast<std::uint8_t>(data.size());
        std::ranges::copy(data, buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += data.size();
    }
    if (expected > 0) buffer_[size_++] = static_cast<std::uint8_t>(expected);
}

Command::~Command()
{
    detail::erase(buffer_);
}

std::span<const std::uint8_t> Command::tpdu() const
{
    return std::span(buffer_).first(header_size + 1 + data_size_);
}

Result<Response> Response::parse(std::span<const std::uint8_t> bytes)
{
    if (bytes.size() < 2) return Error{.code = Errc::link_failed, .where = "status word"};
    const auto sw = bytes.last(2);
    return Response{.data = bytes.first(bytes.size() - 2),
                    .sw = StatusWord(static_cast<std::uint16_t>(sw[0] << 8 | sw[1]))};
}

}  // namespace tallycard::apdu
