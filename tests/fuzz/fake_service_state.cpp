// SPDX-License-Identifier: Apache-2.0
#include "fake_service_state.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "../support/temporary_folder.hpp"
#include "fuzz.hpp"

namespace fuzz::fake {
namespace {

constexpr LONG codes[] = {
    SCARD_F_INTERNAL_ERROR,     SCARD_E_CANCELLED,         SCARD_E_INVALID_HANDLE,
    SCARD_E_INVALID_PARAMETER,  SCARD_E_NO_MEMORY,         SCARD_E_INSUFFICIENT_BUFFER,
    SCARD_E_UNKNOWN_READER,     SCARD_E_TIMEOUT,           SCARD_E_SHARING_VIOLATION,
    SCARD_E_NO_SMARTCARD,       SCARD_E_PROTO_MISMATCH,    SCARD_E_NOT_READY,
    SCARD_E_SYSTEM_CANCELLED,   SCARD_F_COMM_ERROR,        SCARD_F_UNKNOWN_ERROR,
    SCARD_E_READER_UNAVAILABLE, SCARD_E_NOT_TRANSACTED,    SCARD_E_NO_SERVICE,
    SCARD_E_SERVICE_STOPPED,    SCARD_W_UNRESPONSIVE_CARD, SCARD_W_RESET_CARD,
    SCARD_W_REMOVED_CARD,       SCARD_E_NO_ACCESS};

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

DWORD word_of(const FakeService::Look& look)
{
    if (look.is_unavailable) return SCARD_STATE_UNAVAILABLE;
    return (look.has_card ? SCARD_STATE_PRESENT : SCARD_STATE_EMPTY) |
           static_cast<DWORD>(look.counter) << 16;
}

// As pcscd writes one thing without the other; or a driver that fails.
FakeService::Look odd_look(const Reader& reader)
{
    const auto counter = static_cast<std::uint16_t>(reader.taps);
    switch (roll(4)) {
    case 0:
        return {.has_card = reader.has_card, .counter = static_cast<std::uint16_t>(counter - 1)};
    case 1: return {.has_card = !reader.has_card, .counter = counter};
    case 2: return {.has_card = reader.has_card, .counter = counter, .lacks_atr = true};
    default: return {.is_unavailable = true};
    }
}

constexpr std::string_view pnp = R"(\\?PnP?\)";

}  // namespace

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

LONG any_error()
{
    return codes[roll(std::size(codes))];
}
bool fails()
{
    return state().one_in != 0 && roll(state().one_in) == 0;
}

Context make_connection()
{
    const int served_by = listener();
    Context context;
    const auto name = address();
    context.client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* generic = reinterpret_cast<const sockaddr*>(&name);
    FUZZ_CHECK(::connect(context.client, generic, sizeof name) == 0);
    context.served = ::accept4(served_by, nullptr, nullptr, SOCK_CLOEXEC);
    context.wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return context;
}

void close(const Context& context)
{
    for (const int descriptor : {context.client, context.served, context.wake}) ::close(descriptor);
}

LONG check(SCARDCONTEXT handle)
{
    const auto found = state().contexts.find(handle);
    if (found == state().contexts.end()) return SCARD_E_INVALID_HANDLE;
    pollfd given_up{found->second.client, POLLRDHUP, 0};
    if (::poll(&given_up, 1, 0) > 0) return SCARD_F_COMM_ERROR;
    if (!state().runs) return SCARD_E_NO_SERVICE;
    if (state().failing > 0) return --state().failing, state().code;
    return fails() ? any_error() : SCARD_S_SUCCESS;
}

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

bool is_reader(const char* name)
{
    return std::string_view(name).starts_with(pnp) || state().readers.contains(name);
}

bool look(SCARD_READERSTATE& wanted)
{
    const auto known = wanted.dwCurrentState;
    wanted.dwEventState = 0;
    wanted.cbAtr = 0;
    if (std::string_view(wanted.szReader).starts_with(pnp)) return false;
    const auto found = state().readers.find(wanted.szReader);
    if (found == state().readers.end()) {
        wanted.dwEventState = SCARD_STATE_UNKNOWN | SCARD_STATE_UNAVAILABLE | SCARD_STATE_CHANGED;
        return true;
    }
    auto& reader = found->second;
    FakeService::Look shown{.has_card = reader.has_card,
                            .counter = static_cast<std::uint16_t>(reader.taps),
                            .lacks_atr = reader.lacks_atr,
                            .is_unavailable = reader.is_unavailable};
    const bool from_list = !reader.shown.empty();
    const bool is_odd = from_list || fails();
    if (from_list) {
        shown = reader.shown.front();
        reader.shown.pop_front();
    } else if (is_odd) {
        shown = odd_look(reader);
    }
    if (is_odd) ++state().insertions;
    auto now = word_of(shown);
    if (shown.has_card && !shown.lacks_atr) {
        constexpr std::uint8_t atr[] = {0x3B, 0x00};
        std::memcpy(wanted.rgbAtr, atr, sizeof atr);
        wanted.cbAtr = sizeof atr;
        if (state().one_in != 0 && roll(64) == 0) now |= SCARD_STATE_MUTE;
    }
    // Where the caller's counter is 0, pcsc-lite does not compare it.
    const DWORD compared = (known >> 16) != 0 ? ~DWORD{SCARD_STATE_CHANGED} : DWORD{0xFFFD};
    const bool is_new =
        is_odd || known == SCARD_STATE_UNAWARE || (known & compared) != (now & compared);
    wanted.dwEventState = is_new ? now | SCARD_STATE_CHANGED : now;
    return is_new;
}

}  // namespace fuzz::fake
