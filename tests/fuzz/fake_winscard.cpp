// SPDX-License-Identifier: Apache-2.0
// The functions of winscard.h over the made-up service.
#include "fake_service_state.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <cstring>
#include <string_view>

// After winscard.h, whose types it uses.
#include <reader.h>

using namespace fuzz::fake;

extern "C" {

LONG SCardEstablishContext(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT context)
{
    const Lock lock(state().mutex);
    if (!state().runs) return SCARD_E_NO_SERVICE;
    if (state().refused > 0) return --state().refused, state().refusal;
    if (fails()) return any_error();
    *context = state().next++;
    state().contexts[*context] = make_connection();
    return SCARD_S_SUCCESS;
}

LONG SCardReleaseContext(SCARDCONTEXT context)
{
    const Lock lock(state().mutex);
    const auto found = state().contexts.find(context);
    if (found == state().contexts.end()) return SCARD_E_INVALID_HANDLE;
    close(found->second);
    state().contexts.erase(found);
    std::erase_if(state().cards, [&](const auto& card) { return card.second.context == context; });
    return SCARD_S_SUCCESS;
}

LONG SCardListReaders(SCARDCONTEXT context, LPCSTR, LPSTR names, LPDWORD size)
{
    const Lock lock(state().mutex);
    if (const auto code = check(context); code != SCARD_S_SUCCESS) return code;
    if (state().readers.empty()) return SCARD_E_NO_READERS_AVAILABLE;
    std::string all;
    for (auto& [name, reader] : state().readers) {
        if (names != nullptr && reader.hidden > 0) {
            --reader.hidden;  // hidden from this list
        } else {
            (all += name) += '\0';
        }
    }
    all += '\0';
    const auto room = *size;
    *size = all.size();
    if (names == nullptr) return SCARD_S_SUCCESS;
    if (room < all.size() || fails()) return SCARD_E_INSUFFICIENT_BUFFER;
    std::copy(all.begin(), all.end(), names);
    return SCARD_S_SUCCESS;
}

LONG SCardGetStatusChange(SCARDCONTEXT context, DWORD timeout, SCARD_READERSTATE* states,
                          DWORD count)
{
    if (count > PCSCLITE_MAX_READERS_CONTEXTS) return SCARD_E_INVALID_PARAMETER;
    std::size_t readers = 0;
    for (bool waited = false;; waited = true) {
        DWORD longest = 0;
        {
            const Lock lock(state().mutex);
            if (!waited) ++state().status_calls;
            if (const auto code = check(context); code != SCARD_S_SUCCESS) return code;
            bool is_new = waited && readers != state().readers.size();
            readers = state().readers.size();
            for (DWORD i = 0; i < count; ++i) {
                if (!waited && !is_reader(states[i].szReader)) return SCARD_E_UNKNOWN_READER;
                is_new = look(states[i]) || is_new;
            }
            if (is_new || (count == 0 && timeout == 0)) return SCARD_S_SUCCESS;
            longest = std::min<DWORD>(timeout, state().longest_wait);
        }
        if (longest == 0 || waited) return SCARD_E_TIMEOUT;
        const auto code = wait(context, static_cast<int>(longest));
        if (code != SCARD_S_SUCCESS && code != SCARD_E_TIMEOUT) return code;
    }
}

LONG SCardCancel(SCARDCONTEXT context)
{
    const Lock lock(state().mutex);
    const auto found = state().contexts.find(context);
    if (found == state().contexts.end()) return SCARD_E_INVALID_HANDLE;
    (void)::eventfd_write(found->second.wake, 1000);
    return SCARD_S_SUCCESS;
}

LONG SCardConnect(SCARDCONTEXT context, LPCSTR name, DWORD mode, DWORD, LPSCARDHANDLE card,
                  LPDWORD protocol)
{
    if (const auto hung = perhaps_hang(context); hung != SCARD_S_SUCCESS) return hung;
    const Lock lock(state().mutex);
    if (const auto code = check(context); code != SCARD_S_SUCCESS) return code;
    const auto found = state().readers.find(name);
    if (found == state().readers.end()) return SCARD_E_UNKNOWN_READER;
    if (!found->second.has_card && mode != SCARD_SHARE_DIRECT) return SCARD_E_NO_SMARTCARD;
    *card = state().next++;
    *protocol = roll(2) == 0 ? SCARD_PROTOCOL_T0 : SCARD_PROTOCOL_T1;
    state().cards[*card] = {context, name, found->second.taps};
    return SCARD_S_SUCCESS;
}

LONG SCardReconnect(SCARDHANDLE card, DWORD, DWORD, DWORD, LPDWORD protocol)
{
    const Lock lock(state().mutex);
    if (const auto code = check_card(card); code != SCARD_S_SUCCESS) return code;
    *protocol = SCARD_PROTOCOL_T1;
    return SCARD_S_SUCCESS;
}

LONG SCardDisconnect(SCARDHANDLE card, DWORD)
{
    const Lock lock(state().mutex);
    const auto found = state().cards.find(card);
    if (found == state().cards.end()) return SCARD_E_INVALID_HANDLE;
    if (const auto code = check(found->second.context); code != SCARD_S_SUCCESS) return code;
    state().cards.erase(found);
    return SCARD_S_SUCCESS;
}

LONG SCardBeginTransaction(SCARDHANDLE card)
{
    SCARDCONTEXT context = 0;
    {
        const Lock lock(state().mutex);
        if (const auto code = check_card(card); code != SCARD_S_SUCCESS) return code;
        context = state().cards[card].context;
    }
    return perhaps_hang(context);
}

LONG SCardEndTransaction(SCARDHANDLE card, DWORD)
{
    const Lock lock(state().mutex);
    return check_card(card);
}

LONG SCardTransmit(SCARDHANDLE card, const SCARD_IO_REQUEST*, LPCBYTE, DWORD, SCARD_IO_REQUEST*,
                   LPBYTE answer, LPDWORD size)
{
    SCARDCONTEXT context = 0;
    {
        const Lock lock(state().mutex);
        if (const auto code = check_card(card); code != SCARD_S_SUCCESS) return code;
        context = state().cards[card].context;
        state().heard = true;
    }
    if (const auto hung = perhaps_hang(context); hung != SCARD_S_SUCCESS) return hung;
    const Lock lock(state().mutex);
    constexpr LONG after[] = {SCARD_F_COMM_ERROR, SCARD_W_REMOVED_CARD, SCARD_W_RESET_CARD,
                              SCARD_E_NOT_TRANSACTED, SCARD_E_INSUFFICIENT_BUFFER};
    if (fails()) return after[roll(std::size(after))];
    const DWORD said = fails() ? roll(2) : 2 + roll(8);
    for (DWORD i = 0; i < said && i < *size; ++i) answer[i] = static_cast<BYTE>(0x90 + i);
    *size = std::min<DWORD>(said, *size);
    return SCARD_S_SUCCESS;
}

LONG SCardControl(SCARDHANDLE card, DWORD code, LPCVOID, DWORD, LPVOID answer, DWORD room,
                  LPDWORD size)
{
    const Lock lock(state().mutex);
    if (const auto error = check_card(card); error != SCARD_S_SUCCESS) return error;
    std::string said("\x06\x04\x42\x33\x00\x06\x07\x04\x42\x33\x00\x07", 12);
    if (code != CM_IOCTL_GET_FEATURE_REQUEST) {
        constexpr std::string_view words[] = {{"\x90\x00", 2}, {"\x64\x00", 2}, {"\x64\x01", 2},
                                              {"\x63\xC2", 2}, {"\x90", 1},     {"", 0}};
        said = words[roll(std::size(words))];
        state().heard = !said.starts_with('\x64');
    } else if (roll(4) == 0) {
        for (auto& byte : said) byte = roll(4) == 0 ? static_cast<char>(roll(256)) : byte;
        said.resize(roll(13));
    }
    const auto given = std::min<std::size_t>(said.size(), room);
    std::memcpy(answer, said.data(), given);
    *size = given;
    return SCARD_S_SUCCESS;
}

LONG SCardStatus(SCARDHANDLE card, LPSTR, LPDWORD, LPDWORD, LPDWORD, LPBYTE atr, LPDWORD size)
{
    const Lock lock(state().mutex);
    if (const auto code = check_card(card); code != SCARD_S_SUCCESS) return code;
    *size = std::min<DWORD>(*size, roll(34));
    for (DWORD i = 0; i < *size; ++i) atr[i] = static_cast<BYTE>(0x3B + i);
    return SCARD_S_SUCCESS;
}

LONG SCardGetAttrib(SCARDHANDLE card, DWORD tag, LPBYTE value, LPDWORD size)
{
    const Lock lock(state().mutex);
    if (const auto code = check_card(card); code != SCARD_S_SUCCESS) return code;
    if (tag == SCARD_ATTR_CHANNEL_ID) {
        const std::uint32_t channel = roll(2) == 0 ? 0x00200101u : roll(0xFFFF);
        std::memcpy(value, &channel, sizeof channel);
        *size = roll(8) == 0 ? 3 : sizeof channel;
        return SCARD_S_SUCCESS;
    }
    constexpr std::string_view serial("S1\0", 3);
    std::copy(serial.begin(), serial.end(), value);
    *size = serial.size();
    return SCARD_S_SUCCESS;
}
}
