// SPDX-License-Identifier: Apache-2.0
#include "tls_stream.hpp"

#include <algorithm>
#include <cerrno>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

namespace tallycard::service {
namespace {

std::string address_of(int socket)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    const void* address = &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr;
    if (storage.ss_family == AF_INET6)
        address = &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
    if (::inet_ntop(storage.ss_family, address, text.data(), text.size()) == nullptr) return {};
    return text.data();
}

}  // namespace

TlsStream::TlsStream(int socket, const tls::Context& context, const StreamLimits& limits)
    : socket_(socket), ssl_(SSL_new(context.get())), limits_(limits)
{
    const int on = 1;
    ::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
    ::fcntl(socket_, F_SETFD, FD_CLOEXEC);
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL_set_fd(ssl_, socket_);
    peer_.address = address_of(socket_);
}

TlsStream::~TlsStream()
{
    SSL_free(ssl_);
    ERR_clear_error();
    ::close(socket_);
}

bool TlsStream::wait(short events)
{
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
        pollfd descriptor{.fd = socket_, .events = events, .revents = 0};
        const int ready =
            left.count() <= 0 ? 0 : ::poll(&descriptor, 1, static_cast<int>(left.count()) + 1);
        if (ready > 0) return true;
        if (ready < 0 && errno == EINTR) continue;
        over_ = true;
        return false;
    }
}

bool TlsStream::wait_for(int ssl_error)
{
    if (ssl_error == SSL_ERROR_WANT_READ) return wait(POLLIN);
    if (ssl_error == SSL_ERROR_WANT_WRITE) return wait(POLLOUT);
    broken_ = true;
    ERR_clear_error();
    return false;
}

bool TlsStream::shake_hands()
{
    deadline_ = Clock::now() + limits_.handshake;
    for (;;) {
        const int done = SSL_accept(ssl_);
        if (done == 1) break;
        if (!wait_for(SSL_get_error(ssl_, done))) return false;
    }
    peer_ = tls::peer_of(ssl_, std::move(peer_.address));
    return true;
}

bool TlsStream::await_request()
{
    deadline_ = Clock::now() + limits_.idle;
    received_ = end_ - at_;
    // Between two requests there is nothing to read: not asking first saves a call.
    if (at_ == end_ && !((SSL_has_pending(ssl_) != 0 || wait(POLLIN)) && fill())) return false;
    deadline_ = Clock::now() + limits_.request;
    return true;
}

bool TlsStream::fill()
{
    if (!flush()) return false;  // what the peer waits for before it goes on
    for (;;) {
        if (broken_ || over_) return false;
        const int size = SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
        if (size > 0) {
            at_ = 0;
            end_ = static_cast<std::size_t>(size);
            received_ += end_;
            if (received_ > limits_.longest_request) over_ = true;
            return !over_;
        }
        if (!wait_for(SSL_get_error(ssl_, size))) return false;
    }
}

ssize_t TlsStream::read(char* out, std::size_t size)
{
    if (at_ == end_ && !fill()) return over_ ? -1 : 0;
    const auto taken = std::min(size, end_ - at_);
    std::copy_n(buffer_.data() + at_, taken, out);
    at_ += taken;
    return static_cast<ssize_t>(taken);
}

ssize_t TlsStream::write(const char* bytes, std::size_t size)
{
    out_.append(bytes, size);
    return static_cast<ssize_t>(size);
}

bool TlsStream::flush()
{
    std::size_t sent = 0;
    while (sent < out_.size() && !broken_) {
        const auto chunk = std::min(out_.size() - sent, std::size_t{1} << 20);
        const int size = SSL_write(ssl_, out_.data() + sent, static_cast<int>(chunk));
        if (size > 0) {
            sent += static_cast<std::size_t>(size);
        } else if (!wait_for(SSL_get_error(ssl_, size))) {
            return false;
        }
    }
    out_.clear();
    return !broken_;
}

void TlsStream::say_goodbye()
{
    constexpr std::chrono::milliseconds moment(500);
    constexpr std::size_t most = std::size_t{1} << 20;
    if (broken_) return;
    SSL_shutdown(ssl_);
    ERR_clear_error();
    ::shutdown(socket_, SHUT_WR);
    // Closing with bytes unread would reset the connection, and our answer with it.
    deadline_ = Clock::now() + moment;
    std::size_t dropped = 0;
    while (dropped < most && wait(POLLIN)) {
        const auto size = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
        if (size <= 0) break;
        dropped += static_cast<std::size_t>(size);
    }
}

void TlsStream::stop_listening() const
{
    ::shutdown(socket_, SHUT_RD);
}

void TlsStream::get_remote_ip_and_port(std::string& ip, int& port) const
{
    ip = peer_.address;
    port = 0;
}

void TlsStream::get_local_ip_and_port(std::string& ip, int& port) const
{
    ip.clear();
    port = 0;
}

}  // namespace tallycard::service
