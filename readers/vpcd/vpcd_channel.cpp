// SPDX-License-Identifier: Apache-2.0
#include "vpcd_channel.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace tallycard::vpcd {
namespace {

using namespace std::chrono;

constexpr const char* where = "card program";
constexpr milliseconds longest_deadline = hours(24);

steady_clock::time_point end_of(milliseconds deadline)
{
    return steady_clock::now() + std::min(deadline, longest_deadline);
}

// Rounded up: a poll that ends early would be taken for the deadline.
int milliseconds_until(steady_clock::time_point end)
{
    const auto left = ceil<milliseconds>(end - steady_clock::now()).count();
    return left > 0 ? static_cast<int>(left) : 0;
}

Error with_effect(Error error)
{
    error.effect = Effect::unknown;
    return error;
}

// Moves the start of two pieces of memory on by `count` bytes.
void advance(std::array<iovec, 2>& pieces, std::size_t count)
{
    for (auto& piece : pieces) {
        const auto part = std::min(count, piece.iov_len);
        piece.iov_base = static_cast<std::uint8_t*>(piece.iov_base) + part;
        piece.iov_len -= part;
        count -= part;
    }
}

msghdr message_of(std::array<iovec, 2>& pieces)
{
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    return message;
}

// The memory of a span that is only read from, in the type that iovec has.
iovec piece_of(std::span<const std::uint8_t> bytes)
{
    return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace

Channel::Channel(Descriptor socket) : socket_(std::move(socket))
{
    const int number = socket_.number(), flags = ::fcntl(number, F_GETFL);
    ::fcntl(number, F_SETFL, flags | O_NONBLOCK);
    constexpr int on = 1;
    is_tcp_ = ::setsockopt(number, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
}

Result<Atr> Channel::power_on(milliseconds deadline)
{
    return start(Control::power_on, deadline);
}

Result<Atr> Channel::reset(milliseconds deadline)
{
    return start(Control::reset, deadline);
}

Result<void> Channel::power_off(milliseconds deadline)
{
    if (auto quiet = check_quiet(); !quiet) return quiet;
    return tell(Control::power_off, end_of(deadline));
}

// ISO/IEC 7816-3, 8.2: an ATR has 2 to 33 bytes, and starts with one of two.
Result<Atr> Channel::start(Control how, milliseconds deadline)
{
    if (auto quiet = check_quiet(); !quiet) return quiet.error();
    const auto end = end_of(deadline);
    if (auto told = tell(how, end); !told) return told.error();
    if (auto told = tell(Control::get_atr, end); !told) return told.error();
    std::array<std::uint8_t, Atr::capacity> bytes;
    const auto size = receive(bytes, end);
    if (!size) return size.error();
    if (*size < 2 || (bytes[0] != 0x3B && bytes[0] != 0x3F)) return fail(Errc::link_failed);
    return Atr(std::span(bytes).first(*size));
}

Result<void> Channel::tell(Control control, Time end)
{
    const auto byte = static_cast<std::uint8_t>(control);
    return send({&byte, 1}, end);
}

Result<std::size_t> Channel::transmit(std::span<const std::uint8_t> command,
                                      std::span<std::uint8_t> answer, milliseconds deadline)
{
    if (command.size() < 2 || command.size() > max_message)
        return Error{.code = Errc::malformed, .where = "command for a card program"};
    if (auto quiet = check_quiet(); !quiet) return quiet.error();
    const auto end = end_of(deadline);
    if (auto sent = send(command, end); !sent) return with_effect(sent.error());
    const auto size = receive(answer, end);
    if (!size) return with_effect(size.error());
    if (*size < 2) return with_effect({.code = Errc::link_failed, .where = where});
    return size;
}

// What has come before anything was asked answers nothing.
Result<void> Channel::check_quiet()
{
    std::uint8_t unasked = 0;
    const auto n = ::recv(socket_.number(), &unasked, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0) return fail(Errc::link_failed);
    const bool is_quiet = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (!is_quiet || hung_up_) return fail(Errc::card_removed);
    return {};
}

// Length and payload in one call: apart, TCP may hold the second back for the first's
// acknowledgement.
Result<void> Channel::send(std::span<const std::uint8_t> payload, Time end)
{
    const std::array<std::uint8_t, length_size> length = {
        static_cast<std::uint8_t>(payload.size() >> 8), static_cast<std::uint8_t>(payload.size())};
    std::array<iovec, 2> pieces = {piece_of(length), piece_of(payload)};
    while (pieces[0].iov_len + pieces[1].iov_len > 0) {
        const auto message = message_of(pieces);
        const auto n = ::sendmsg(socket_.number(), &message, MSG_NOSIGNAL);
        if (n >= 0) {
            advance(pieces, static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return fail(Errc::card_removed, static_cast<std::uint32_t>(errno));
        if (auto ready = wait_for(POLLOUT, end); !ready) return ready;
    }
    return {};
}

Result<std::size_t> Channel::receive(std::span<std::uint8_t> payload, Time end)
{
    std::array<std::uint8_t, length_size> length{};
    std::array<iovec, 2> pieces = {piece_of(length), piece_of(payload)};
    std::size_t have = 0;
    for (;;) {
        if (auto ready = wait_for(POLLIN, end); !ready) return ready.error();
        auto message = message_of(pieces);
        const auto n = ::recvmsg(socket_.number(), &message, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return fail(Errc::card_removed);
        advance(pieces, static_cast<std::size_t>(n));
        have += static_cast<std::size_t>(n);
        if (have < length_size) continue;
        const auto size = static_cast<std::size_t>(length[0] << 8 | length[1]);
        const bool too_much = size > payload.size() || have > length_size + size;
        if (too_much) return fail(Errc::link_failed, static_cast<std::uint32_t>(size));
        if (have == length_size + size) return size;
    }
}

// An end of the connection counts as ready: the read that follows says so, after what came before.
Result<void> Channel::wait_for(short events, Time end)
{
    constexpr int on = 1;
    if (is_tcp_) ::setsockopt(socket_.number(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    for (;;) {
        pollfd waiting{socket_.number(), events, 0};
        const int count = ::poll(&waiting, 1, milliseconds_until(end));
        if (count > 0) return {};
        if (count == 0) return fail(Errc::timed_out);
        if (errno != EINTR) return fail(Errc::link_failed, static_cast<std::uint32_t>(errno));
    }
}

bool Channel::is_gone() const
{
    if (hung_up_) return true;
    pollfd looking{socket_.number(), POLLRDHUP, 0};
    return ::poll(&looking, 1, 0) > 0;
}

void Channel::hang_up() noexcept
{
    hung_up_ = true;
    ::shutdown(socket_.number(), SHUT_RDWR);
}

Error Channel::fail(Errc code, std::uint32_t detail)
{
    hang_up();
    return {.code = code, .detail = detail, .where = where};
}

}  // namespace tallycard::vpcd
