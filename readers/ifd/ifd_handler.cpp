// SPDX-License-Identifier: Apache-2.0
// The functions that pcscd calls (ifdhandler.h, version 3). Nothing is thrown across this line.
#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <string_view>

extern "C" {
#include <ifdhandler.h>
}
#include <reader.h>

#include "../atr_protocols.hpp"
#include "ifd_attributes.hpp"
#include "ifd_log.hpp"
#include "ifd_reader.hpp"
#include "part10.hpp"

namespace {

using namespace tallycard;
using namespace tallycard::ifd;

// What pcscd calls a logical unit number: reader and slot.
struct Unit {
    explicit Unit(DWORD lun) : reader(lun >> 16 & 0xFFFF), slot(lun & 0xFFFF) {}
    DWORD reader;
    std::size_t slot;
};

// All readers of this pcscd. The one global of the driver, since the interface has none to give.
class Registry {
public:
    std::shared_ptr<IfdReader> find(Unit unit)
    {
        const std::lock_guard guard(mutex_);
        const auto found = readers_.find(unit.reader);
        return found != readers_.end() ? found->second : nullptr;
    }
    bool open(Unit unit, const std::string& config_path)
    {
        const std::lock_guard guard(mutex_);
        auto& reader = readers_[unit.reader];
        if (!reader) reader = IfdReader::open(config_path);
        if (reader && reader->open_slot(unit.slot)) return true;
        drop_if_closed(unit, !reader || reader->is_closed());
        return false;
    }
    void close(Unit unit)
    {
        const std::lock_guard guard(mutex_);
        const auto found = readers_.find(unit.reader);
        if (found == readers_.end()) return;
        found->second->close_slot(unit.slot);
        drop_if_closed(unit, found->second->is_closed());
    }

private:
    void drop_if_closed(Unit unit, bool is_closed)
    {
        if (is_closed) readers_.erase(unit.reader);
    }

    std::mutex mutex_;
    std::map<DWORD, std::shared_ptr<IfdReader>> readers_;
};

Registry& registry()
{
    static Registry the_registry;
    return the_registry;
}

template <class Call>
RESPONSECODE guarded(Call&& call) noexcept
{
    try {
        return call();
    } catch (const std::exception& error) {  // out of memory, or of threads
        log_error(error.what());
    } catch (...) {
        log_error("unknown exception");
    }
    return IFD_COMMUNICATION_ERROR;
}

// `call` with the reader and the slot; IFD_NO_SUCH_DEVICE when there is none.
template <class Call>
RESPONSECODE in_slot(DWORD lun, Call&& call) noexcept
{
    return guarded([&]() -> RESPONSECODE {
        const Unit unit(lun);
        const auto reader = registry().find(unit);
        const auto slot = reader ? reader->slot(unit.slot) : nullptr;
        return slot ? call(*reader, *slot) : IFD_NO_SUCH_DEVICE;
    });
}

RESPONSECODE code_of(const Error& error)
{
    switch (error.code) {
    case Errc::no_card: return IFD_ICC_NOT_PRESENT;
    case Errc::timed_out: return IFD_RESPONSE_TIMEOUT;
    default: return IFD_COMMUNICATION_ERROR;
    }
}

RESPONSECODE wait_for_event(DWORD lun, int milliseconds)
{
    return in_slot(lun, [&](IfdReader&, Slot& slot) {
        slot.wait_for_change(std::chrono::milliseconds(milliseconds));
        return IFD_SUCCESS;
    });
}

RESPONSECODE stop_waiting(DWORD lun)
{
    return in_slot(lun, [](IfdReader&, Slot& slot) {
        slot.stop_waiting();
        return IFD_SUCCESS;
    });
}

RESPONSECODE give(std::string_view value, PDWORD length, PUCHAR out)
{
    if (*length < value.size()) return IFD_ERROR_INSUFFICIENT_BUFFER;
    std::ranges::copy(value, out);
    *length = value.size();
    return IFD_SUCCESS;
}

RESPONSECODE give_function(RESPONSECODE (*function)(DWORD, int), PDWORD length, PUCHAR out)
{
    return give({reinterpret_cast<const char*>(&function), sizeof function}, length, out);
}

RESPONSECODE give_function(RESPONSECODE (*function)(DWORD), PDWORD length, PUCHAR out)
{
    return give({reinterpret_cast<const char*>(&function), sizeof function}, length, out);
}

RESPONSECODE give_attribute(DWORD lun, DWORD tag, PDWORD length, PUCHAR out)
{
    if (tag == TAG_IFD_POLLING_THREAD_WITH_TIMEOUT)
        return give_function(wait_for_event, length, out);
    if (tag == TAG_IFD_STOP_POLLING_THREAD) return give_function(stop_waiting, length, out);
    const Unit unit(lun);
    const auto reader = registry().find(unit);
    if (!reader) return IFD_NO_SUCH_DEVICE;
    const auto value = attribute(*reader, unit.slot, tag);
    // *length stays as it is for an unknown tag: pcscd then answers some of them itself.
    return value ? give(*value, length, out) : IFD_ERROR_TAG;
}

}  // namespace

#define TALLYCARD_IFD extern "C" __attribute__((visibility("default"))) RESPONSECODE

TALLYCARD_IFD IFDHCreateChannelByName(DWORD Lun, LPSTR DeviceName)
{
    return guarded([&]() -> RESPONSECODE {
        constexpr std::string_view prefix = "tallycard:";
        std::string_view path = DeviceName;
        if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
        return registry().open(Unit(Lun), std::string(path)) ? IFD_SUCCESS
                                                             : IFD_COMMUNICATION_ERROR;
    });
}

TALLYCARD_IFD IFDHCreateChannel(DWORD, DWORD)
{
    log_error("reader.conf: DEVICENAME with the path of the driver's configuration is wanted");
    return IFD_COMMUNICATION_ERROR;
}

TALLYCARD_IFD IFDHCloseChannel(DWORD Lun)
{
    return guarded([&]() -> RESPONSECODE {
        registry().close(Unit(Lun));
        return IFD_SUCCESS;
    });
}

TALLYCARD_IFD IFDHGetCapabilities(DWORD Lun, DWORD Tag, PDWORD Length, PUCHAR Value)
{
    if (Length == nullptr || Value == nullptr) return IFD_COMMUNICATION_ERROR;
    return guarded([&] { return give_attribute(Lun, Tag, Length, Value); });
}

TALLYCARD_IFD IFDHSetCapabilities(DWORD, DWORD, DWORD, PUCHAR)
{
    return IFD_ERROR_VALUE_READ_ONLY;
}

// There is nothing to negotiate: whoever runs the card takes what comes. But a protocol that the
// card does not speak is refused here, and not left to its surprise.
TALLYCARD_IFD IFDHSetProtocolParameters(DWORD Lun, DWORD Protocol, UCHAR, UCHAR, UCHAR, UCHAR)
{
    return in_slot(Lun, [&](IfdReader&, Slot& slot) -> RESPONSECODE {
        const auto atr = slot.atr();
        if (!atr) return IFD_ICC_NOT_PRESENT;
        const bool t0 = Protocol == SCARD_PROTOCOL_T0, t1 = Protocol == SCARD_PROTOCOL_T1;
        if (t0 && offers(*atr, TransmissionProtocol::t0)) return IFD_SUCCESS;
        if (t1 && offers(*atr, TransmissionProtocol::t1)) return IFD_SUCCESS;
        return IFD_PROTOCOL_NOT_SUPPORTED;
    });
}

TALLYCARD_IFD IFDHPowerICC(DWORD Lun, DWORD Action, PUCHAR Atr, PDWORD AtrLength)
{
    if (AtrLength == nullptr) return IFD_COMMUNICATION_ERROR;
    const auto room = std::exchange(*AtrLength, 0);
    return in_slot(Lun, [&](IfdReader&, Slot& slot) -> RESPONSECODE {
        if (Action == IFD_POWER_DOWN) {
            slot.power_off();
            return IFD_SUCCESS;
        }
        if (Action != IFD_POWER_UP && Action != IFD_RESET) return IFD_NOT_SUPPORTED;
        const auto atr = Action == IFD_RESET ? slot.reset() : slot.power_on();
        if (!atr)
            return atr.error().code == Errc::no_card ? IFD_ICC_NOT_PRESENT : IFD_ERROR_POWER_ACTION;
        if (Atr == nullptr || room < atr->size()) return IFD_ERROR_INSUFFICIENT_BUFFER;
        std::ranges::copy(atr->bytes(), Atr);
        *AtrLength = atr->size();
        return IFD_SUCCESS;
    });
}

TALLYCARD_IFD IFDHTransmitToICC(DWORD Lun, SCARD_IO_HEADER SendPci, PUCHAR TxBuffer, DWORD TxLength,
                                PUCHAR RxBuffer, PDWORD RxLength, PSCARD_IO_HEADER RecvPci)
{
    if (RxLength == nullptr) return IFD_COMMUNICATION_ERROR;
    const auto room = std::exchange(*RxLength, 0);
    return in_slot(Lun, [&](IfdReader&, Slot& slot) -> RESPONSECODE {
        const std::span<const std::uint8_t> command(TxBuffer, TxLength);
        const auto size = slot.transmit(command, std::span(RxBuffer, room));
        if (!size) return code_of(size.error());
        *RxLength = *size;
        if (RecvPci != nullptr) RecvPci->Protocol = SendPci.Protocol;
        return IFD_SUCCESS;
    });
}

TALLYCARD_IFD IFDHICCPresence(DWORD Lun)
{
    return in_slot(Lun, [](IfdReader&, Slot& slot) {
        return slot.is_present() ? IFD_ICC_PRESENT : IFD_ICC_NOT_PRESENT;
    });
}

TALLYCARD_IFD IFDHControl(DWORD Lun, DWORD dwControlCode, PUCHAR TxBuffer, DWORD TxLength,
                          PUCHAR RxBuffer, DWORD RxLength, LPDWORD pdwBytesReturned)
{
    if (pdwBytesReturned == nullptr) return IFD_COMMUNICATION_ERROR;
    *pdwBytesReturned = 0;
    return in_slot(Lun, [&](IfdReader& reader, Slot& slot) -> RESPONSECODE {
        Pinpad pinpad{reader.pinpad(), reader.config().pin_timeout, Unit(Lun).slot};
        const auto size = control(slot, pinpad, static_cast<std::uint32_t>(dwControlCode),
                                  {TxBuffer, TxLength}, {RxBuffer, RxLength});
        if (!size) return code_of(size.error());
        if (!*size) return IFD_ERROR_NOT_SUPPORTED;
        *pdwBytesReturned = **size;
        return IFD_SUCCESS;
    });
}
