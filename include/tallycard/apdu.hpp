// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/export.hpp>
#include <tallycard/result.hpp>
#include <tallycard/status_word.hpp>

namespace tallycard::apdu {

// The four bytes that open a command (ISO/IEC 7816-4, 5.1). Name them at the call:
//     Header{.cla = 0x80, .ins = 0x32, .p1 = 0, .p2 = 0}
struct Header {
    std::uint8_t cla = 0, ins = 0, p1 = 0, p2 = 0;
};

// A short command APDU, ready to send. Fixed storage, erased on destruction,
// because the data of a command may be a PIN.
class TALLYCARD_EXPORT Command {
public:
    static constexpr std::size_t max_data = 255;
    static constexpr std::size_t any_length = 256;  // Le = 00: as much as there is

    // `expected` is the longest answer wanted, without the status word; 0 for none.
    // Requires data.size() <= max_data and expected <= any_length.
    explicit Command(Header header, std::span<const std::uint8_t> data = {},
                     std::size_t expected = 0);
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    ~Command();

    Header header() const { return {buffer_[0], buffer_[1], buffer_[2], buffer_[3]}; }
    std::span<const std::uint8_t> data() const { return std::span(buffer_).subspan(5, data_size_); }
    std::size_t expected() const { return expected_; }
    std::span<const std::uint8_t> bytes() const { return std::span(buffer_).first(size_); }
    // As T=0 wants it: always a fifth byte, and no Le where there is data (ISO/IEC 7816-3, 12.1.2).
    std::span<const std::uint8_t> tpdu() const;

private:
    std::array<std::uint8_t, 4 + 1 + max_data + 1> buffer_;
    std::size_t size_ = 0, data_size_ = 0, expected_ = 0;
};

// A response APDU: a view into the buffer that the link filled.
struct Response {
    static constexpr std::size_t max_size = 258;

    std::span<const std::uint8_t> data;
    StatusWord sw;

    // Errc::link_failed when there is no room for a status word: such an answer proves nothing.
    TALLYCARD_EXPORT static Result<Response> parse(std::span<const std::uint8_t> bytes);
};

}  // namespace tallycard::apdu
