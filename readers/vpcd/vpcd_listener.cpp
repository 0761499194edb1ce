// SPDX-License-Identifier: Apache-2.0
#include "vpcd_listener.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

namespace tallycard::vpcd {
namespace {

constexpr int backlog = 4;
constexpr std::chrono::milliseconds rest(100);

Error rejected(const char* where)
{
    return {
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(errno), .where = where};
}

Result<sockaddr_un> address_of(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return rejected("socket's path");
    }
    std::ranges::copy(path, address.sun_path);
    return address;
}

const sockaddr* generic(const auto& address)
{
    return reinterpret_cast<const sockaddr*>(&address);
}

Descriptor new_socket(int family)
{
    return Descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Result<Descriptor> lock(const std::string& path)
{
    constexpr int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    Descriptor file(::open((path + ".lock").c_str(), flags, 0600));
    if (!file.is_open()) return rejected("lock file beside the socket");
    if (::flock(file.number(), LOCK_EX | LOCK_NB) == 0) return file;
    if (errno == EWOULDBLOCK) return Error{.code = Errc::file_in_use, .where = "socket"};
    return rejected("lock file beside the socket");
}

// Whoever listens at a socket without our lock does not know us; only a dead one is taken away.
Result<void> make_room(const std::string& path, const sockaddr_un& address)
{
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return rejected("socket");
    }
    if (!S_ISSOCK(status.st_mode) || status.st_uid != ::geteuid())
        return Error{.code = Errc::file_exists, .where = "socket"};
    const auto probe = new_socket(AF_UNIX);
    const int connected = ::connect(probe.number(), generic(address), sizeof address);
    if (connected == 0 || errno != ECONNREFUSED)
        return Error{.code = Errc::file_in_use, .where = "socket"};
    if (::unlink(path.c_str()) != 0) return rejected("socket");
    return {};
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::on_unix_socket(const std::string& path)
{
    const auto address = address_of(path);
    if (!address) return address.error();
    auto locked = lock(path);
    if (!locked) return locked.error();
    if (auto done = make_room(path, *address); !done) return done.error();
    std::unique_ptr<Listener> listener(new Listener(new_socket(AF_UNIX)));
    const int socket = listener->socket_.number();
    // Linux gives the file the mode of the socket, so that it is never there with another one.
    if (::fchmod(socket, 0600) != 0 || ::bind(socket, generic(*address), sizeof *address) != 0)
        return rejected("socket");
    listener->lock_ = *std::move(locked);
    listener->path_ = path;
    if (::listen(socket, backlog) != 0) return rejected("socket");
    return listener;
}

Result<std::unique_ptr<Listener>> Listener::on_loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::unique_ptr<Listener> listener(new Listener(new_socket(AF_INET)));
    const int socket = listener->socket_.number();
    constexpr int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    socklen_t size = sizeof address;
    const bool listens = ::bind(socket, generic(address), size) == 0 &&
                         ::listen(socket, backlog) == 0 &&
                         ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (!listens) return rejected("loopback port");
    listener->port_ = ntohs(address.sin_port);
    return listener;
}

Listener::~Listener()
{
    if (state_.card) state_.card->hang_up();
    if (!path_.empty()) ::unlink(path_.c_str());
}

Listener::State Listener::update()
{
    const std::lock_guard guard(mutex_);
    for (;;) {
        Descriptor next(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
        const int error = next.is_open() ? 0 : errno;
        // Looked at after each that came: it may have come because the one before had left.
        if (state_.card && state_.card->is_gone()) state_.card.reset();
        if (!next.is_open()) {
            if (error == EINTR || error == ECONNABORTED) continue;
            is_exhausted_ = error != EAGAIN;
            return state_;
        }
        if (state_.card) {
            ++state_.refused;
            continue;
        }
        state_.card = std::make_shared<Channel>(std::move(next));
        ++state_.arrivals;
    }
}

Listener::Wake Listener::wait(std::chrono::milliseconds at_most, int interrupt) const
{
    std::shared_ptr<Channel> card;  // held, so that its descriptor stays what it is
    bool is_exhausted = false;
    {
        const std::lock_guard guard(mutex_);
        card = state_.card;
        is_exhausted = is_exhausted_;
    }
    // Who cannot be let in, for want of descriptors, would wake us for ever.
    if (is_exhausted) at_most = std::min(at_most, rest);
    if (card && card->is_gone()) return Wake::changed;
    std::array<pollfd, 3> waiting = {pollfd{interrupt, POLLIN, 0},
                                     pollfd{is_exhausted ? -1 : descriptor(), POLLIN, 0},
                                     pollfd{card ? card->descriptor() : -1, POLLRDHUP, 0}};
    const auto longest = std::clamp<std::chrono::milliseconds::rep>(at_most.count(), 0, 86'400'000);
    const int count = ::poll(waiting.data(), waiting.size(), static_cast<int>(longest));
    if (waiting[0].revents != 0) return Wake::interrupted;
    return count > 0 ? Wake::changed : Wake::timed_out;
}

}  // namespace tallycard::vpcd
