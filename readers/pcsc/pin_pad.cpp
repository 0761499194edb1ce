// SPDX-License-Identifier: Apache-2.0
#include "pin_pad.hpp"

#include <winscard.h>
// After winscard.h, whose types it uses.
#include <reader.h>

#include <algorithm>
#include <cstring>

#include <tallycard/contract.hpp>
#include <tallycard/pin.hpp>

namespace tallycard::pcsc {

namespace {

// How a PIN becomes a block: two digits a byte, left-justified, one byte into the data; the number
// of digits in the 4 bits that start at bit 4; 7 bytes of digits and filler.
constexpr std::uint8_t format = 0x89, block = 0x47, length_format = 0x04;
constexpr std::uint16_t digits = min_pin_digits << 8 | max_pin_digits;
constexpr std::uint8_t until_validation_key = 0x02;
constexpr std::uint8_t old_and_confirmation = 0x03;  // asks for the old PIN, and twice for the new
constexpr std::uint16_t english = 0x0409;
constexpr std::uint8_t old_block_at = 0, new_block_at = 8;

std::uint8_t seconds(std::chrono::milliseconds longest)
{
    const auto whole = std::chrono::ceil<std::chrono::seconds>(longest).count();
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(whole, 1, 255));
}

// What the two have in common, under the same names.
template <class Structure>
Structure structure_for(std::uint8_t timeout, std::uint32_t command_size)
{
    Structure structure{};
    structure.bTimerOut = timeout;
    structure.bTimerOut2 = timeout;
    structure.bmFormatString = format;
    structure.bmPINBlockString = block;
    structure.bmPINLengthFormat = length_format;
    structure.wPINMaxExtraDigit = digits;
    structure.bEntryValidationCondition = until_validation_key;
    structure.wLangId = english;
    structure.ulDataLength = command_size;
    return structure;
}

PIN_VERIFY_STRUCTURE verify_structure(std::uint8_t timeout, std::uint32_t command_size)
{
    auto structure = structure_for<PIN_VERIFY_STRUCTURE>(timeout, command_size);
    structure.bNumberMessage = 1;
    return structure;
}

PIN_MODIFY_STRUCTURE modify_structure(std::uint8_t timeout, std::uint32_t command_size)
{
    auto structure = structure_for<PIN_MODIFY_STRUCTURE>(timeout, command_size);
    structure.bInsertionOffsetOld = old_block_at;
    structure.bInsertionOffsetNew = new_block_at;
    structure.bConfirmPIN = old_and_confirmation;
    structure.bNumberMessage = 3;
    structure.bMsgIndex2 = 1;
    structure.bMsgIndex3 = 2;
    return structure;
}

}  // namespace

PinPad PinPad::parse(std::span<const std::uint8_t> features)
{
    PinPad found;
    constexpr std::size_t element = 6;  // tag, the length 4, the control code
    if (features.size() % element != 0) return {};
    for (; !features.empty(); features = features.subspan(element)) {
        if (features[1] != 4) return {};
        const DWORD code = static_cast<DWORD>(features[2]) << 24 |
                           static_cast<DWORD>(features[3]) << 16 |
                           static_cast<DWORD>(features[4]) << 8 | features[5];
        if (features[0] == FEATURE_VERIFY_PIN_DIRECT) found.verify = code;
        if (features[0] == FEATURE_MODIFY_PIN_DIRECT) found.modify = code;
    }
    return found;
}

PinPadRequest::PinPadRequest(PinEntry entry, std::span<const std::uint8_t> command,
                             std::chrono::milliseconds longest)
{
    TALLYCARD_EXPECTS(sizeof(PIN_MODIFY_STRUCTURE) + command.size() <= buffer_.size());
    const auto put = [&](const auto& structure, std::size_t head) {
        std::memcpy(buffer_.data(), &structure, head);
        std::ranges::copy(command, buffer_.begin() + static_cast<std::ptrdiff_t>(head));
        size_ = head + command.size();
    };
    const auto size = static_cast<std::uint32_t>(command.size());
    if (entry == PinEntry::verify) {
        put(verify_structure(seconds(longest), size), offsetof(PIN_VERIFY_STRUCTURE, abData));
    } else {
        put(modify_structure(seconds(longest), size), offsetof(PIN_MODIFY_STRUCTURE, abData));
    }
}

}  // namespace tallycard::pcsc
