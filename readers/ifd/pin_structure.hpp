// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <tallycard/result.hpp>

namespace tallycard::ifd {

// Where a PIN goes in a command, and in what form (PC/SC part 10, 2.5; CCID 1.1, 6.1.11). All
// positions are in bits from the start of the PIN's block.
struct PinFormat {
    enum class Type : std::uint8_t { binary = 0, bcd = 1, ascii = 2 };

    Type type = Type::ascii;
    bool right_justified = false;
    std::size_t position = 0;         // of the digits
    std::size_t size = 0;             // of the space for the digits, bytes; 0: up to the end
    std::size_t length_position = 0;  // of the number of digits
    std::size_t length_size = 0;      // 0: the number of digits is not written
    std::size_t min_digits = 0, max_digits = 0;

    std::size_t bits_per_digit() const { return type == Type::bcd ? 4 : 8; }
};

// A command that waits for its PINs: a short APDU of case 3. Erased when it goes.
class PinCommand {
public:
    static constexpr std::size_t max_size = 5 + 255;

    PinCommand() = default;
    PinCommand(const PinCommand&) = delete;
    PinCommand& operator=(const PinCommand&) = delete;
    PinCommand(PinCommand&& other) noexcept;
    PinCommand& operator=(PinCommand&&) = delete;
    ~PinCommand();

    // Requires a number of digits within the format's limits, `offset` in bytes of the data.
    void put(const PinFormat& format, std::size_t offset, std::span<const char> digits);
    std::span<const std::uint8_t> bytes() const { return std::span(bytes_).first(size_); }

private:
    friend class PinStructureParser;
    void put_bits(std::size_t at, std::size_t count, unsigned value);

    std::array<std::uint8_t, max_size> bytes_{};
    std::size_t size_ = 0;
    bool grows_ = false;  // no data in it as yet: it becomes as long as the digits
};

// PIN_VERIFY_STRUCTURE and PIN_MODIFY_STRUCTURE (PC/SC part 10, 2.5.2 and 2.5.3).
struct PinStructure {
    PinFormat format;
    std::chrono::seconds first_key{0}, next_key{0};  // 0: as the reader likes
    bool modifies = false;
    bool asks_old = true, confirms_new = false;  // of a change only
    std::size_t old_offset = 0, new_offset = 0;
    PinCommand command;
};

// Strict: what cannot be carried out to the letter is Errc::malformed (to be answered 6B80).
Result<PinStructure> parse_pin_verify(std::span<const std::uint8_t> bytes);
Result<PinStructure> parse_pin_modify(std::span<const std::uint8_t> bytes);

}  // namespace tallycard::ifd
