// SPDX-License-Identifier: Apache-2.0
#include "pin_structure.hpp"

#include <algorithm>
#include <bit>

#include <tallycard/contract.hpp>
#include <tallycard/secret.hpp>

namespace tallycard::ifd {

namespace {
constexpr std::size_t header_size = 5;  // of an APDU, Lc included
constexpr std::size_t bits_of_byte = 8;
}  // namespace

PinCommand::PinCommand(PinCommand&& other) noexcept
    : bytes_(other.bytes_), size_(other.size_), grows_(other.grows_)
{
    detail::erase(other.bytes_);
}

PinCommand::~PinCommand()
{
    detail::erase(bytes_);
}

void PinCommand::put_bits(std::size_t at, std::size_t count, unsigned value)
{
    for (std::size_t i = 0; i < count; ++i) {
        const auto bit = at + i;
        const auto mask = static_cast<std::uint8_t>(0x80u >> bit % bits_of_byte);
        auto& byte = bytes_.at(header_size + bit / bits_of_byte);
        const bool on = (value >> (count - 1 - i) & 1u) != 0;
        byte = static_cast<std::uint8_t>(on ? byte | mask : byte & ~mask);
    }
}

void PinCommand::put(const PinFormat& format, std::size_t offset, std::span<const char> digits)
{
    TALLYCARD_EXPECTS(digits.size() >= format.min_digits && digits.size() <= format.max_digits);
    const auto bits = format.bits_per_digit(), needed = digits.size() * bits;
    const auto block = offset * bits_of_byte;
    if (grows_) {
        size_ = header_size + digits.size();
        bytes_[header_size - 1] = static_cast<std::uint8_t>(digits.size());
    }
    auto at = block + format.position;
    if (format.right_justified) at += format.size * bits_of_byte - needed;
    for (const char digit : digits) {
        const auto number = static_cast<unsigned>(digit - '0');
        put_bits(at, bits, format.type == PinFormat::Type::ascii ? 0x30u + number : number);
        at += bits;
    }
    put_bits(block + format.length_position, format.length_size,
             static_cast<unsigned>(digits.size()));
}

// Takes a structure apart from its front; what is wrong anywhere makes the whole wrong.
class PinStructureParser {
public:
    explicit PinStructureParser(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

    Result<PinStructure> verify()
    {
        take_times_and_format();
        take_limits();
        take_end_of_entry();
        skip(4);  // messages to display, their language, the index of the first
        take_command();
        check(fits(0));
        return result();
    }

    Result<PinStructure> modify()
    {
        structure_.modifies = true;
        take_times_and_format();
        structure_.old_offset = number(1);
        structure_.new_offset = number(1);
        take_limits();
        const auto confirm = number(1);
        check(confirm <= 3);
        structure_.confirms_new = (confirm & 1u) != 0;
        structure_.asks_old = (confirm & 2u) != 0;
        take_end_of_entry();
        skip(6);  // messages to display, their language, the indices of three
        take_command();
        check(!structure_.command.grows_);
        check(fits(structure_.new_offset) && (!structure_.asks_old || fits(structure_.old_offset)));
        return result();
    }

private:
    void check(bool holds) { ok_ = ok_ && holds; }

    // In the byte order of this machine, as PC/SC has its structures.
    std::size_t number(std::size_t size)
    {
        check(rest_.size() >= size);
        if (!ok_) return 0;
        std::size_t value = 0;
        constexpr bool little = std::endian::native == std::endian::little;
        for (std::size_t i = 0; i < size; ++i)
            value = value << bits_of_byte | rest_[little ? size - 1 - i : i];
        rest_ = rest_.subspan(size);
        return value;
    }
    void skip(std::size_t size) { (void)number(size); }

    void take_times_and_format()
    {
        auto& format = structure_.format;
        structure_.first_key = std::chrono::seconds(number(1));
        structure_.next_key = std::chrono::seconds(number(1));
        const auto format_string = number(1), block_string = number(1), length_format = number(1);
        check((format_string & 3u) != 3);
        format.type = static_cast<PinFormat::Type>(format_string & 3u);
        format.right_justified = (format_string & 4u) != 0;
        const std::size_t unit = (format_string & 0x80u) != 0 ? bits_of_byte : 1;
        format.position = (format_string >> 3 & 0x0Fu) * unit;
        format.size = block_string & 0x0Fu;
        format.length_size = block_string >> 4;
        check(length_format <= 0x1F);
        const std::size_t length_unit = (length_format & 0x10u) != 0 ? bits_of_byte : 1;
        format.length_position = (length_format & 0x0Fu) * length_unit;
    }

    void take_limits()
    {
        const auto limits = number(2);
        structure_.format.max_digits = limits & 0xFFu;
        structure_.format.min_digits = limits >> bits_of_byte;
        check(structure_.format.max_digits > 0);
        check(structure_.format.min_digits <= structure_.format.max_digits);
    }

    // The key that ends an entry is the only end that this reader knows.
    void take_end_of_entry()
    {
        constexpr std::size_t by_key = 2;
        const auto conditions = number(1);
        check(conditions == 0 || ((conditions & by_key) != 0 && conditions <= 7));
    }

    void take_command()
    {
        skip(3);  // T=1 prologue: for readers that exchange blocks
        const auto size = number(4);
        check(size == rest_.size() && size + 1 >= header_size && size <= PinCommand::max_size);
        if (!ok_) return;
        auto& command = structure_.command;
        std::ranges::copy(rest_, command.bytes_.begin());
        command.size_ = std::max(size, header_size);
        // A header alone, or one with nothing after it, gets the digits and nothing else.
        command.grows_ = size <= header_size;
        const bool holds_data = command.bytes_[header_size - 1] != 0;
        check(command.grows_ ? !holds_data : command.bytes_[4] == size - header_size);
    }

    // Whether any PIN that may be typed has its place in the block at this offset.
    bool fits(std::size_t offset)
    {
        auto& format = structure_.format;
        const auto bits = format.bits_per_digit(), longest = format.max_digits * bits;
        const auto& command = structure_.command;
        if (command.grows_) {
            return format.position == 0 && format.size == 0 && format.length_size == 0 &&
                   bits == bits_of_byte && !format.right_justified && format.max_digits <= 255;
        }
        const auto data = (command.size_ - header_size) * bits_of_byte;
        const auto start = offset * bits_of_byte;
        if (start >= data) return false;
        const auto room = data - start;
        if (format.length_position + format.length_size > room) return false;
        if (format.length_size > 0 && format.max_digits >> format.length_size != 0) return false;
        if (format.size > 0 && longest > format.size * bits_of_byte) return false;
        if (format.right_justified && format.size == 0) return false;
        const auto end = format.right_justified ? format.size * bits_of_byte : longest;
        return format.position + end <= room;
    }

    Result<PinStructure> result()
    {
        if (!ok_) return Error{.code = Errc::malformed, .where = "PIN structure"};
        return std::move(structure_);
    }

    std::span<const std::uint8_t> rest_;
    PinStructure structure_;
    bool ok_ = true;
};

Result<PinStructure> parse_pin_verify(std::span<const std::uint8_t> bytes)
{
    return PinStructureParser(bytes).verify();
}

Result<PinStructure> parse_pin_modify(std::span<const std::uint8_t> bytes)
{
    return PinStructureParser(bytes).modify();
}

}  // namespace tallycard::ifd
