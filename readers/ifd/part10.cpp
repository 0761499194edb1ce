// SPDX-License-Identifier: Apache-2.0
#include "part10.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <winscard.h>

#include <reader.h>

#include "pin_structure.hpp"

namespace tallycard::ifd {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint32_t first_code = SCARD_CTL_CODE(3500);

constexpr std::uint32_t code_of(std::uint8_t feature)
{
    return first_code + feature;
}

constexpr std::uint8_t min_pin = 4, max_pin = 12, ended_by_key = 2;
constexpr std::uint16_t timeout = 0x6400, cancelled = 0x6401, differ = 0x6402, wrong_size = 0x6403,
                        bad_structure = 0x6B80;

Bytes status(std::uint16_t sw)
{
    return {static_cast<std::uint8_t>(sw >> 8), static_cast<std::uint8_t>(sw)};
}

// 2.2: tag, length and, big-endian, the control code of each feature.
Bytes features(bool has_pinpad)
{
    Bytes list;
    const auto add = [&](std::uint8_t feature) {
        list.insert(list.end(), {feature, 4});
        const auto code = code_of(feature);
        for (int shift = 24; shift >= 0; shift -= 8)
            list.push_back(static_cast<std::uint8_t>(code >> shift));
    };
    if (has_pinpad) {
        add(FEATURE_VERIFY_PIN_DIRECT);
        add(FEATURE_MODIFY_PIN_DIRECT);
        add(FEATURE_IFD_PIN_PROPERTIES);
    }
    add(FEATURE_GET_TLV_PROPERTIES);
    return list;
}

// 2.5.5: no display; the entry is ended by a key; the second timeout is kept.
Bytes pin_properties()
{
    return {0, 0, ended_by_key, 1};
}

// 2.6.14: tag, length, and numbers little-endian.
Bytes tlv_properties(bool has_pinpad)
{
    Bytes list = {PCSCv2_PART10_PROPERTY_dwMaxAPDUDataSize, 4, 0, 0, 1, 0};
    if (!has_pinpad) return list;
    const Bytes pin = {PCSCv2_PART10_PROPERTY_wLcdLayout,
                       2,
                       0,
                       0,
                       PCSCv2_PART10_PROPERTY_bEntryValidationCondition,
                       1,
                       ended_by_key,
                       PCSCv2_PART10_PROPERTY_bTimeOut2,
                       1,
                       1,
                       PCSCv2_PART10_PROPERTY_bMinPINSize,
                       1,
                       min_pin,
                       PCSCv2_PART10_PROPERTY_bMaxPINSize,
                       1,
                       max_pin};
    list.insert(list.end(), pin.begin(), pin.end());
    return list;
}

// One or several questions for one command.
class Dialogue {
public:
    Dialogue(const Pinpad& pinpad, PinStructure& structure) : pinpad_(pinpad), structure_(structure)
    {
    }

    // Fills the command; the status word with which it ended without the card, or empty.
    std::optional<std::uint16_t> run()
    {
        if (!structure_.modifies) return ask_and_put("PIN", 0);
        if (structure_.asks_old) {
            if (const auto ended = ask_and_put("old PIN", structure_.old_offset)) return ended;
        }
        TypedPin fresh, again;
        if (const auto ended = ask("new PIN", fresh)) return ended;
        if (structure_.confirms_new) {
            if (const auto ended = ask("new PIN again", again)) return ended;
            if (!std::ranges::equal(fresh.digits(), again.digits())) return differ;
        }
        structure_.command.put(structure_.format, structure_.new_offset, fresh.digits());
        return std::nullopt;
    }

private:
    std::optional<std::uint16_t> ask_and_put(const char* what, std::size_t offset)
    {
        TypedPin pin;
        if (const auto ended = ask(what, pin)) return ended;
        structure_.command.put(structure_.format, offset, pin.digits());
        return std::nullopt;
    }

    std::optional<std::uint16_t> ask(const char* what, TypedPin& pin)
    {
        const auto patience = [&](std::chrono::seconds asked) {
            return asked.count() > 0 ? asked : pinpad_.default_timeout;
        };
        const PinQuestion question{.what = what,
                                   .slot = pinpad_.slot,
                                   .first = patience(structure_.first_key),
                                   .next = patience(structure_.next_key)};
        if (const auto typed = pinpad_.entry->ask(question, pin); !typed) {
            if (typed.error().code == Errc::timed_out) return timeout;
            return typed.error().code == Errc::malformed ? wrong_size : cancelled;
        }
        const auto& format = structure_.format;
        const bool fits = pin.size() >= format.min_digits && pin.size() <= format.max_digits;
        return fits ? std::optional<std::uint16_t>() : wrong_size;
    }

    const Pinpad& pinpad_;
    PinStructure& structure_;
};

Result<std::size_t> enter_pin(Slot& slot, const Pinpad& pinpad, Result<PinStructure> structure,
                              std::span<std::uint8_t> out)
{
    const auto answer = [&](std::uint16_t sw) {
        std::ranges::copy(status(sw), out.begin());
        return std::size_t{2};
    };
    if (out.size() < 2) return Error{.code = Errc::link_failed, .where = "PIN entry"};
    if (!structure) return answer(bad_structure);
    if (!slot.atr()) return Error{.code = Errc::no_card, .where = "PIN entry"};
    if (const auto ended = Dialogue(pinpad, *structure).run()) return answer(*ended);
    return slot.transmit(structure->command.bytes(), out);
}

Result<std::optional<std::size_t>> give(const Bytes& bytes, std::span<std::uint8_t> out)
{
    if (bytes.size() > out.size()) return Error{.code = Errc::link_failed, .where = "control"};
    std::ranges::copy(bytes, out.begin());
    return std::optional(bytes.size());
}

Result<std::optional<std::size_t>> known(Result<std::size_t> size)
{
    if (!size) return size.error();
    return std::optional(*size);
}

}  // namespace

Result<std::optional<std::size_t>> control(Slot& slot, const Pinpad& pinpad, std::uint32_t code,
                                           std::span<const std::uint8_t> in,
                                           std::span<std::uint8_t> out)
{
    const bool has_pinpad = pinpad.entry != nullptr;
    if (code == CM_IOCTL_GET_FEATURE_REQUEST) return give(features(has_pinpad), out);
    if (code == code_of(FEATURE_GET_TLV_PROPERTIES)) return give(tlv_properties(has_pinpad), out);
    if (!has_pinpad) return std::optional<std::size_t>();
    if (code == code_of(FEATURE_IFD_PIN_PROPERTIES)) return give(pin_properties(), out);
    if (code == code_of(FEATURE_VERIFY_PIN_DIRECT))
        return known(enter_pin(slot, pinpad, parse_pin_verify(in), out));
    if (code == code_of(FEATURE_MODIFY_PIN_DIRECT))
        return known(enter_pin(slot, pinpad, parse_pin_modify(in), out));
    return std::optional<std::size_t>();
}

}  // namespace tallycard::ifd
