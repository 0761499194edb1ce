// SPDX-License-Identifier: Apache-2.0
#include "socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace tallycard::chip {
namespace {

enum class Ready : std::uint8_t { yes, stopped, too_late };

// Until the descriptor is ready for `events`, or the process is asked to stop.
Ready wait_for(int descriptor, short events, const StopSignal& stop, int milliseconds)
{
    std::array<pollfd, 2> waiting = {pollfd{stop.descriptor(), POLLIN, 0},
                                     pollfd{descriptor, events, 0}};
    int count = 0;
    do {
        count = ::poll(waiting.data(), waiting.size(), milliseconds);
    } while (count < 0 && errno == EINTR);
    if (count < 0 || waiting[0].revents != 0) return Ready::stopped;
    return count == 0 ? Ready::too_late : Ready::yes;
}

void set(int descriptor, int option)
{
    constexpr int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, option, &on, sizeof on);
}

bool is_connected(int descriptor)
{
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

Descriptor connect_to(const sockaddr* address, socklen_t size, const StopSignal& stop)
{
    constexpr int patience = 5000;  // ms
    constexpr int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
    Descriptor socket(::socket(address->sa_family, type, 0));
    if (!socket.is_open()) return socket;
    const int done = ::connect(socket.number(), address, size);
    if (done != 0 && errno != EINPROGRESS) return Descriptor();
    if (wait_for(socket.number(), POLLOUT, stop, patience) != Ready::yes) return Descriptor();
    if (!is_connected(socket.number())) return Descriptor();
    return socket;
}

Descriptor connect_unix(const std::string& path, const StopSignal& stop)
{
    sockaddr_un address{};
    if (path.size() >= sizeof address.sun_path) return Descriptor();
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, address.sun_path);
    return connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof address, stop);
}

Descriptor connect_tcp(const ReaderAddress& address, const StopSignal& stop)
{
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(address.port);
    if (::getaddrinfo(address.host.c_str(), port.c_str(), &wanted, &found) != 0)
        return Descriptor();
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
    for (const auto* next = found; next != nullptr; next = next->ai_next) {
        auto socket = connect_to(next->ai_addr, next->ai_addrlen, stop);
        if (!socket.is_open()) continue;
        set(socket.number(), TCP_NODELAY);
        return socket;
    }
    return Descriptor();
}

}  // namespace

StopSignal::StopSignal()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    descriptor_ = Descriptor(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool StopSignal::wait(std::chrono::milliseconds at_most) const
{
    return wait_for(-1, 0, *this, static_cast<int>(at_most.count())) == Ready::stopped;
}

Socket Socket::connect(const ReaderAddress& address, const StopSignal& stop)
{
    const bool is_tcp = address.path.empty();
    return Socket(is_tcp ? connect_tcp(address, stop) : connect_unix(address.path, stop), is_tcp);
}

std::size_t Socket::receive(std::span<std::uint8_t> out, const StopSignal& stop)
{
    // vpcd sends a length and its payload apart, the second only when the first is acknowledged:
    // with a delayed acknowledgement every command takes 40 ms more. The kernel forgets the wish.
    if (is_tcp_) set(descriptor_.number(), TCP_QUICKACK);
    while (wait_for(descriptor_.number(), POLLIN, stop, -1) == Ready::yes) {
        const auto n = ::recv(descriptor_.number(), out.data(), out.size(), 0);
        if (n >= 0) return static_cast<std::size_t>(n);
        if (errno != EINTR && errno != EAGAIN) return 0;
    }
    return 0;
}

bool Socket::wait_for_input(std::chrono::milliseconds at_most, const StopSignal& stop) const
{
    const auto milliseconds = static_cast<int>(at_most.count());
    return wait_for(descriptor_.number(), POLLIN, stop, milliseconds) == Ready::yes;
}

bool Socket::send(std::span<const std::uint8_t> bytes)
{
    constexpr int patience = 10000;  // ms
    while (!bytes.empty()) {
        const auto n = ::send(descriptor_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        pollfd waiting{descriptor_.number(), POLLOUT, 0};
        if (errno != EAGAIN || ::poll(&waiting, 1, patience) <= 0) return false;
    }
    return true;
}

void Socket::finish(std::chrono::milliseconds at_most)
{
    using std::chrono::steady_clock;
    const auto deadline = steady_clock::now() + at_most;
    std::array<std::uint8_t, 512> dropped{};
    ::shutdown(descriptor_.number(), SHUT_WR);
    for (auto left = at_most; left.count() > 0;
         left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now())) {
        pollfd waiting{descriptor_.number(), POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return;
        if (::recv(descriptor_.number(), dropped.data(), dropped.size(), 0) <= 0) return;
    }
}

}  // namespace tallycard::chip
