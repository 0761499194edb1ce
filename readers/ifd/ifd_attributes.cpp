// SPDX-License-Identifier: Apache-2.0
#include "ifd_attributes.hpp"

#include <ifdhandler.h>
#include <reader.h>

namespace tallycard::ifd {
namespace {

std::string byte(unsigned value)
{
    return std::string(1, static_cast<char>(value));
}

// As PC/SC has its numbers: four bytes, in the order of this machine.
std::string number(std::uint32_t value)
{
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string text(std::string value)
{
    value.push_back('\0');
    return value;
}

std::optional<std::string> of_card(const Slot& slot, unsigned long tag)
{
    const auto atr = slot.atr();
    if (tag == SCARD_ATTR_ICC_INTERFACE_STATUS) return byte(atr ? 1 : 0);
    if (!atr) return std::nullopt;
    const auto bytes = atr->bytes();
    switch (tag) {
    case TAG_IFD_ATR:
    case SCARD_ATTR_ATR_STRING: return std::string(bytes.begin(), bytes.end());
    case SCARD_ATTR_ICC_TYPE_PER_ATR: return byte(1);  // ISO 7816, asynchronous
    default: return std::nullopt;
    }
}

}  // namespace

std::optional<std::string> attribute(const IfdReader& reader, std::size_t slot_number,
                                     unsigned long tag)
{
    switch (tag) {
    case TAG_IFD_SLOTS_NUMBER: return byte(static_cast<unsigned>(reader.config().slots));
    case TAG_IFD_SIMULTANEOUS_ACCESS: return byte(Config::max_slots);
    case TAG_IFD_THREAD_SAFE:
    case TAG_IFD_SLOT_THREAD_SAFE: return byte(1);
    case TAG_IFD_POLLING_THREAD_KILLABLE: return byte(0);
    case SCARD_ATTR_VENDOR_NAME: return text("tallycard");
    case SCARD_ATTR_VENDOR_IFD_TYPE: return text("virtual reader");
    case SCARD_ATTR_VENDOR_IFD_SERIAL_NO:
        return text(reader.config().serial + "-" + std::to_string(slot_number));
    case SCARD_ATTR_VENDOR_IFD_VERSION: return number(TALLYCARD_IFD_VERSION);
    case SCARD_ATTR_MAXINPUT: return number(0xFFFF);
    default: break;
    }
    const auto slot = reader.slot(slot_number);
    if (!slot) return std::nullopt;
    if (tag == SCARD_ATTR_ICC_PRESENCE) return byte(slot->is_present() ? 2 : 0);
    return of_card(*slot, tag);
}

}  // namespace tallycard::ifd
