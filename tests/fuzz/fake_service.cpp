// SPDX-License-Identifier: Apache-2.0
#include "fake_service.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

// After winscard.h, whose types it uses.
#include <reader.h>

#include "../support/temporary_folder.hpp"
#include "fuzz.hpp"

namespace fuzz {
namespace {

using Lock = std::lock_guard<std::mutex>;

struct FakeReader {
    DWORD taps = 0;
    bool has_card = false;
};
struct FakeContext {
    int client = -1, served = -1;  // the two ends of a connection, as the library looks for
    int wake = -1;                 // an eventfd: something changed, or SCardCancel
};
struct FakeCard {
    SCARDCONTEXT context = 0;
    std::string reader;
    DWORD taps = 0;  // when it was connected
};

struct State {
    std::mutex mutex;
    std::uint64_t random = 1;
    std::uint32_t one_in = 400;
    bool runs = true, heard = false;
    std::map<std::string, FakeReader> readers;
    std::map<SCARDCONTEXT, FakeContext> contexts;
    std::map<SCARDHANDLE, FakeCard> cards;
    long next = 1;
};

State& state()
{
    static State all;
    return all;
}

std::uint32_t roll(std::uint32_t below)
{
    auto& s = state().random;
    s ^= s >> 12;
    s ^= s << 25;
    s ^= s >> 27;
    return static_cast<std::uint32_t>((s * 0x2545F4914F6CDD1DU) >> 33) % below;
}

constexpr LONG codes[] = {SCARD_F_INTERNAL_ERROR,    SCARD_E_CANCELLED,
                          SCARD_E_INVALID_HANDLE,    SCARD_E_INVALID_PARAMETER,
                          SCARD_E_NO_MEMORY,         SCARD_E_INSUFFICIENT_BUFFER,
                          SCARD_E_UNKNOWN_READER,    SCARD_E_TIMEOUT,
                          SCARD_E_SHARING_VIOLATION, SCARD_E_NO_SMARTCARD,
                          SCARD_E_PROTO_MISMATCH,    SCARD_E_NOT_READY,
                          SCARD_E_SYSTEM_CANCELLED,  SCARD_F_COMM_ERROR,
                          SCARD_F_UNKNOWN_ERROR,     SCARD_E_READER_UNAVAILABLE,
                          SCARD_E_NOT_TRANSACTED,    SCARD_E_NO_SERVICE,
                          SCARD_E_SERVICE_STOPPED,   SCARD_E_NO_READERS_AVAILABLE,
                          SCARD_W_UNRESPONSIVE_CARD, SCARD_W_RESET_CARD,
                          SCARD_W_REMOVED_CARD,      SCARD_E_NO_ACCESS};

LONG any_error()
{
    return codes[roll(std::size(codes))];
}
bool fails()
{
    return state().one_in != 0 && roll(state().one_in) == 0;
}

const std::string& socket_path()
{
    static const tallycard::test::TemporaryFolder folder;
    static const auto path = folder.file("pcscd.comm");
    return path;
}

sockaddr_un address()
{
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    socket_path().copy(name.sun_path, sizeof name.sun_path - 1);
    return name;
}

int listener()
{
    static const int socket = [] {
        ::setenv("PCSCLITE_CSOCK_NAME", socket_path().c_str(), 1);
        const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto name = address();
        const auto* generic = reinterpret_cast<const sockaddr*>(&name);
        FUZZ_CHECK(::bind(made, generic, sizeof name) == 0 && ::listen(made, 64) == 0);
        return made;
    }();
    return socket;
}

FakeContext connection()
{
    const int served_by = listener();
    FakeContext context;
    const auto name = address();
    context.client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* generic = reinterpret_cast<const sockaddr*>(&name);
    FUZZ_CHECK(::connect(context.client, generic, sizeof name) == 0);
    context.served = ::accept4(served_by, nullptr, nullptr, SOCK_CLOEXEC);
    context.wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return context;
}

void close(const FakeContext& context)
{
    for (const int descriptor : {context.client, context.served, context.wake}) ::close(descriptor);
}

// What any call meets first: the connection may have been given up, or the service be gone.
LONG check(SCARDCONTEXT handle)
{
    const auto found = state().contexts.find(handle);
    if (found == state().contexts.end()) return SCARD_E_INVALID_HANDLE;
    pollfd given_up{found->second.client, POLLRDHUP, 0};
    if (::poll(&given_up, 1, 0) > 0) return SCARD_F_COMM_ERROR;
    if (!state().runs) return SCARD_E_NO_SERVICE;
    return fails() ? any_error() : SCARD_S_SUCCESS;
}

// Waits for a change, for SCardCancel, or for the library to end its own connection.
LONG wait(SCARDCONTEXT handle, int milliseconds)
{
    std::array<pollfd, 2> ends{};
    {
        const Lock lock(state().mutex);
        const auto found = state().contexts.find(handle);
        if (found == state().contexts.end()) return SCARD_E_INVALID_HANDLE;
        ends = {pollfd{found->second.client, POLLRDHUP, 0}, pollfd{found->second.wake, POLLIN, 0}};
    }
    if (::poll(ends.data(), ends.size(), milliseconds) == 0) return SCARD_E_TIMEOUT;
    if (ends[0].revents != 0) return SCARD_F_COMM_ERROR;
    eventfd_t count = 0;
    (void)::eventfd_read(ends[1].fd, &count);
    return count >= 1000 ? SCARD_E_CANCELLED : SCARD_S_SUCCESS;
}

void wake_all()
{
    for (const auto& [handle, context] : state().contexts) (void)::eventfd_write(context.wake, 1);
}

LONG check_card(SCARDHANDLE handle)
{
    const auto card = state().cards.find(handle);
    if (card == state().cards.end()) return SCARD_E_INVALID_HANDLE;
    if (const auto code = check(card->second.context); code != SCARD_S_SUCCESS) return code;
    const auto reader = state().readers.find(card->second.reader);
    if (reader == state().readers.end()) return SCARD_E_READER_UNAVAILABLE;
    const bool same = reader->second.has_card && reader->second.taps == card->second.taps;
    return same ? SCARD_S_SUCCESS : SCARD_W_REMOVED_CARD;
}

// One in many calls never returns by itself.
LONG perhaps_hang(SCARDCONTEXT context)
{
    {
        const Lock lock(state().mutex);
        if (state().one_in == 0 || roll(state().one_in * 4) != 0) return SCARD_S_SUCCESS;
    }
    for (;;) {
        const auto code = wait(context, 2000);
        FUZZ_CHECK(code != SCARD_E_TIMEOUT);  // nobody gave it up
        if (code == SCARD_F_COMM_ERROR || code == SCARD_E_INVALID_HANDLE) return code;
    }
}

DWORD word_of(const FakeReader& reader)
{
    return (reader.has_card ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY) |
           static_cast<DWORD>(reader.taps << 16);
}

// Fills in what is; whether anything is not as the caller knows it.
bool look(SCARD_READERSTATE& wanted)
{
    const auto known = wanted.dwCurrentState;
    if (std::string_view(wanted.szReader).starts_with("\\\\?PnP?")) {
        wanted.dwEventState = 0;
        return false;
    }
    const auto found = state().readers.find(wanted.szReader);
    DWORD now = SCARD_STATE_UNKNOWN;
    if (found != state().readers.end()) now = word_of(found->second);
    if (found != state().readers.end() && found->second.has_card) {
        constexpr std::uint8_t atr[] = {0x3B, 0x00};
        std::memcpy(wanted.rgbAtr, atr, sizeof atr);
        wanted.cbAtr = roll(64) == 0 ? 0 : sizeof atr;
        if (roll(64) == 0) now |= SCARD_STATE_MUTE;
    }
    const bool is_new = known == SCARD_STATE_UNAWARE || (known & ~0x2UL) != now;
    wanted.dwEventState = is_new ? now | SCARD_STATE_CHANGED : now;
    return is_new;
}

}  // namespace

void FakeService::begin(std::uint64_t seed, std::uint32_t one_in)
{
    const Lock lock(state().mutex);
    state().random = seed | 1;
    state().one_in = one_in;
    state().runs = true;
    state().readers.clear();
}

void FakeService::end()
{
    const Lock lock(state().mutex);
    FUZZ_CHECK(state().contexts.empty() && state().cards.empty());
}

void FakeService::plug(const std::string& reader)
{
    const Lock lock(state().mutex);
    state().readers[reader];
    wake_all();
}
void FakeService::unplug(const std::string& reader)
{
    const Lock lock(state().mutex);
    state().readers.erase(reader);
    wake_all();
}
void FakeService::insert(const std::string& reader)
{
    const Lock lock(state().mutex);
    const auto found = state().readers.find(reader);
    if (found == state().readers.end() || found->second.has_card) return;
    found->second.has_card = true;
    ++found->second.taps;
    wake_all();
}
void FakeService::remove(const std::string& reader)
{
    const Lock lock(state().mutex);
    const auto found = state().readers.find(reader);
    if (found == state().readers.end() || !found->second.has_card) return;
    found->second.has_card = false;
    ++found->second.taps;
    wake_all();
}
void FakeService::stop()
{
    const Lock lock(state().mutex);
    state().runs = false;
    wake_all();
}
void FakeService::start()
{
    const Lock lock(state().mutex);
    state().runs = true;
}
void FakeService::fail_no_more()
{
    const Lock lock(state().mutex);
    state().one_in = 0;
}
void FakeService::forget()
{
    const Lock lock(state().mutex);
    state().heard = false;
}
bool FakeService::was_heard()
{
    const Lock lock(state().mutex);
    return state().heard;
}

}  // namespace fuzz

using namespace fuzz;

extern "C" {

LONG SCardEstablishContext(DWORD, LPCVOID, LPCVOID, LPSCARDCONTEXT context)
{
    const Lock lock(state().mutex);
    if (!state().runs) return SCARD_E_NO_SERVICE;
    if (fails()) return any_error();
    *context = state().next++;
    state().contexts[*context] = connection();
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
    for (const auto& [name, reader] : state().readers) (all += name) += '\0';
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
    constexpr DWORD most = 20;  // ms: an input has no more time
    for (bool waited = false;; waited = true) {
        {
            const Lock lock(state().mutex);
            if (const auto code = check(context); code != SCARD_S_SUCCESS) return code;
            bool is_new = false;
            for (DWORD i = 0; i < count; ++i) is_new = look(states[i]) || is_new;
            if (is_new || (count == 0 && timeout == 0)) return SCARD_S_SUCCESS;
        }
        if (timeout == 0 || waited) return SCARD_E_TIMEOUT;
        const auto code = wait(context, static_cast<int>(std::min(timeout, most)));
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
