// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <httplib.h>

namespace tallycard::https {
namespace {

constexpr std::size_t longest_answer = std::size_t{8} << 20;

Error unreachable(const char* where, Effect effect)
{
    return {.code = Errc::issuer_unreachable, .effect = effect, .where = where};
}

// Whether the request may have got there, and what people should look at.
Error error_of(httplib::Error error)
{
    switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
    case httplib::Error::BindIPAddress: return unreachable("connection", Effect::none);
    case httplib::Error::SSLConnection:
        return unreachable("TLS (is it the right port, and our certificate in order?)",
                           Effect::none);
    case httplib::Error::SSLLoadingCerts: return unreachable("CA file", Effect::none);
    case httplib::Error::SSLServerVerification:
        return unreachable("TLS: the service's certificate does not verify (--ca?)", Effect::none);
    default: return unreachable("answer of the service", Effect::unknown);
    }
}

Result<void> check_file(const std::string& path, const char* where)
{
    if (path.empty() || ::access(path.c_str(), R_OK) == 0) return {};
    const auto code = errno;
    if (code == ENOENT) return Error{.code = Errc::file_missing, .where = where};
    return Error{
        .code = Errc::file_rejected, .detail = static_cast<std::uint32_t>(code), .where = where};
}

Result<void> check_files(const HttpsIssuerSettings& settings)
{
    if (settings.certificate_file.empty() != settings.key_file.empty())
        return Error{.code = Errc::malformed, .where = "a certificate and its key belong together"};
    for (const auto& [path, where] :
         {std::pair{&settings.ca_file, "CA file"},
          std::pair{&settings.certificate_file, "client certificate file"},
          std::pair{&settings.key_file, "client key file"}})
        if (const auto there = check_file(*path, where); !there) return there;
    return {};
}

// Writing to a connection that the service has closed is an error of that call: it must not end the
// caller's program, whose signals are its own matter.
class NoBrokenPipe {
public:
    NoBrokenPipe()
    {
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    NoBrokenPipe(const NoBrokenPipe&) = delete;
    NoBrokenPipe& operator=(const NoBrokenPipe&) = delete;
    ~NoBrokenPipe()
    {
        const timespec at_once{};
        if (!was_pending_)
            while (::sigtimedwait(&pipe_, nullptr, &at_once) == -1 && errno == EINTR) continue;
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t pipe_{}, before_{};
    bool was_pending_ = false;
};

// A second descriptor of the socket that is in use, to end it from another thread: the library
// closes its own whenever it likes, and a lock of its own is held while it connects.
class SocketHandle {
public:
    SocketHandle() = default;
    SocketHandle(const SocketHandle&) = delete;
    SocketHandle& operator=(const SocketHandle&) = delete;
    ~SocketHandle() { replace(-1); }
    void use(int socket)
    {
        const std::lock_guard lock(mutex_);
        replace(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
        if (cancelled_) end();
    }
    void cancel(bool cancelled)
    {
        const std::lock_guard lock(mutex_);
        cancelled_ = cancelled;
        if (cancelled_) end();
    }
    bool is_cancelled()
    {
        const std::lock_guard lock(mutex_);
        return cancelled_;
    }

private:
    void end() const
    {
        if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
    }
    void replace(int socket)
    {
        if (socket_ >= 0) ::close(socket_);
        socket_ = socket;
    }
    std::mutex mutex_;
    int socket_ = -1;
    bool cancelled_ = false;
};

unsigned seconds_in(const std::string& text)
{
    unsigned seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return seconds;
}

}  // namespace

struct Connection::Client {
    Client(const Endpoint& endpoint, const HttpsIssuerSettings& settings)
        : made(endpoint.tls
                   ? std::make_unique<httplib::SSLClient>(
                         endpoint.host, endpoint.port, settings.certificate_file, settings.key_file)
                   : std::make_unique<httplib::ClientImpl>(endpoint.host, endpoint.port)),
          http(*made)
    {
        http.set_connection_timeout(settings.connect_within);
        http.set_read_timeout(settings.answer_within);
        http.set_write_timeout(settings.answer_within);
        http.set_keep_alive(true);
        http.set_tcp_nodelay(true);
        http.enable_server_certificate_verification(true);
        if (!settings.ca_file.empty()) http.set_ca_cert_path(settings.ca_file);
        http.set_socket_options([this](int socket) { handle.use(socket); });
    }
    SocketHandle handle;
    std::unique_ptr<httplib::ClientImpl> made;
    httplib::ClientImpl& http;
    httplib::Headers headers;
    bool used = false;  // the connection may be one that the service has closed meanwhile
};

Connection::Connection(std::unique_ptr<Client> client) : client_(std::move(client)) {}
Connection::Connection(Connection&& other) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const HttpsIssuerSettings& settings)
{
    const auto endpoint = parse_url(settings.url);
    if (!endpoint) return Error{.code = Errc::malformed, .where = "URL (https://HOST:PORT)"};
    return open(*endpoint, settings);
}

Result<Connection> Connection::open(const Endpoint& endpoint, const HttpsIssuerSettings& settings)
{
    if (const auto there = check_files(settings); !there) return there.error();
    auto client = std::make_unique<Client>(endpoint, settings);
    if (!client->http.is_valid())
        return Error{.code = Errc::file_damaged, .where = "client certificate or key"};
    client->headers.emplace("Accept-Encoding", "identity");
    if (!settings.token_file.empty()) {
        const auto token = read_token(settings.token_file);
        if (!token) return token.error();
        client->headers.emplace("Authorization", "Bearer " + *token);
    }
    return Connection(std::move(client));
}

// The service closes connections that are idle: one that was used before may be gone, and a request
// that it broke under is sent again, over a new one.
template <class Send>
Result<Reply> Connection::exchange(const Send& send)
{
    const NoBrokenPipe quiet;
    for (int attempt = 0;; ++attempt) {
        if (client_->handle.is_cancelled())
            return unreachable("connection: it took too long", Effect::unknown);
        Reply reply;
        const auto result = send(
            [&](const httplib::Response& head) {
                reply.status = head.status;
                reply.retry_after = seconds_in(head.get_header_value("Retry-After"));
                return true;
            },
            [&](const char* bytes, std::size_t size) {
                if (size > longest_answer - reply.body.size()) return false;
                reply.body.append(bytes, size);
                return true;
            });
        if (result) {
            client_->used = true;
            return reply;
        }
        const auto error = error_of(result.error());
        if (error.effect == Effect::none) return error;
        client_->http.stop();
        if (!std::exchange(client_->used, false) || attempt > 0) return error;
    }
}

void Connection::cancel()
{
    client_->handle.cancel(true);
}

void Connection::allow()
{
    client_->handle.cancel(false);
}

Result<Reply> Connection::get(const std::string& path)
{
    return exchange([&](httplib::ResponseHandler head, httplib::ContentReceiver body) {
        return client_->http.Get(path, client_->headers, std::move(head), std::move(body));
    });
}

Result<Reply> Connection::post(const std::string& path, const std::string& body,
                               const char* content_type)
{
    return exchange([&](httplib::ResponseHandler head, httplib::ContentReceiver receiver) {
        httplib::Request request;
        request.method = "POST";
        request.path = path;
        request.headers = client_->headers;
        request.set_header("Content-Type", content_type);
        request.body = body;
        request.response_handler = std::move(head);
        request.content_receiver = [receiver = std::move(receiver)](
                                       const char* bytes, std::size_t size, std::uint64_t,
                                       std::uint64_t) { return receiver(bytes, size); };
        return client_->http.send(request);
    });
}

}  // namespace tallycard::https
