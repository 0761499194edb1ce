// SPDX-License-Identifier: Apache-2.0
#include "https_server.hpp"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include <sys/socket.h>

#include <httplib.h>

#include "connection_threads.hpp"
#include "tls_stream.hpp"

namespace tallycard::service {
namespace {

constexpr std::size_t refusing_threads = 4, longest_path = 256, longest_head = 16384;
constexpr std::chrono::milliseconds pause(50);
constexpr int backlog = 512, most_requests_of_a_connection = 100'000;

// The request that this thread is in.
struct Turn {
    const TlsStream* stream = nullptr;
    Work work;
    bool answered = false, closes = false;
};
thread_local Turn* turn = nullptr;

void put(const Answer& answer, httplib::Response& response)
{
    response.status = answer.status;
    response.set_content(answer.body, answer.type);
    if (answer.retry_after) response.set_header("Retry-After", std::to_string(*answer.retry_after));
    if (turn->closes) response.set_header("Connection", "close");
    turn->answered = true;
}

Head head_of(const httplib::Request& request)
{
    Head head;
    head.peer = &turn->stream->peer();
    head.method = request.method;
    head.path = request.path;
    for (const auto& [name, value] : request.params) head.parameters.emplace(name, value);
    head.authorization = request.get_header_value("Authorization");
    head.content_type = request.get_header_value("Content-Type");
    if (request.has_header("Content-Length"))
        head.content_length = request.get_header_value("Content-Length");
    head.has_encoding = request.has_header("Transfer-Encoding") ||
                        request.has_header("Content-Encoding") ||
                        request.get_header_value_count("Content-Length") > 1;
    return head;
}

// The status of what may not be read; 0: it may.
int fault_of(const Head& head, const ServerSettings& settings)
{
    const bool posts = head.method == "POST";
    if (head.path.size() > longest_path) return 414;
    if (!posts && head.method != "GET") return 405;
    if (head.has_encoding) return 411;
    if (!posts) return head.content_length.value_or("0") == "0" ? 0 : 400;
    if (!head.content_length) return 411;
    const auto& text = *head.content_length;
    std::size_t length = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (code == std::errc::result_out_of_range) return 413;
    if (code != std::errc{} || end != text.data() + text.size()) return 400;
    if (length > settings.longest_body) return 413;
    return head.content_type.starts_with(settings.content_type) ? 0 : 415;
}

using Handled = httplib::Server::HandlerResponse;

class Server final : public HttpsServer, private httplib::Server {
public:
    Server(const ServerSettings& settings, tls::Context context, Application& application)
        : settings_(settings), context_(std::move(context)), application_(&application)
    {
        limits_.handshake = std::chrono::seconds(settings.handshake_seconds);
        limits_.request = std::chrono::seconds(settings.request_seconds);
        limits_.idle = std::chrono::seconds(settings.idle_seconds);
        limits_.longest_request = longest_head + settings.longest_body;
        new_task_queue = [this] {
            return new ConnectionThreads(settings_.most_connections, refusing_threads,
                                         [this] { end_connections(); });
        };
        set_keep_alive_timeout(static_cast<time_t>(settings.idle_seconds));
        set_keep_alive_max_count(most_requests_of_a_connection);
        set_payload_max_length(settings.longest_body);
        set_socket_options([](int socket) {
            const int on = 1;
            ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        });
        route();
    }

    int bind()
    {
        errno = 0;
        if (settings_.port != 0) {
            if (!bind_to_port(settings_.address, settings_.port))
                return errno != 0 ? errno : EINVAL;
            port_ = settings_.port;
        } else {
            const int port = bind_to_any_port(settings_.address);
            if (port < 0) return errno != 0 ? errno : EINVAL;
            port_ = static_cast<std::uint16_t>(port);
        }
        // The library asks for a queue of 5, and a burst of connections would wait for seconds.
        ::listen(svr_sock_, backlog);
        settings_.port = port_;
        return 0;
    }

    std::uint16_t port() const override { return port_; }
    void run() override
    {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
            started_ = true;
        }
        // The library stops listening at an error of accept(), be it one of a single peer.
        while (!stopping_) {
            listen_after_bind();
            while (!stopping_ && bind() != 0) std::this_thread::sleep_for(pause);
            const std::lock_guard lock(mutex_);
            ending_ = stopping_;
        }
        finished_ = true;
    }
    void stop() override
    {
        bool started = false;
        {
            const std::lock_guard lock(mutex_);
            if (stopping_.exchange(true)) return;
            started = started_;
        }
        end_connections();
        while (started && !is_running() && !finished_) std::this_thread::yield();
        httplib::Server::stop();
    }
    void replace(tls::Context context) override
    {
        const std::lock_guard lock(mutex_);
        context_ = std::move(context);
    }
    std::size_t connections() const override { return connections_; }

private:
    void route()
    {
        set_pre_routing_handler([this](const auto& request, auto& response) {
            return admit(request, response) ? Handled::Handled : Handled::Unhandled;
        });
        const auto answer = [](const httplib::Request& request, httplib::Response& response) {
            put(turn->work(request.body), response);
        };
        Get(".*", answer);
        Post(".*", answer);
        set_error_handler([this](const httplib::Request&, httplib::Response& response) {
            if (turn->answered) return;
            turn->closes = true;
            const bool too_long = response.status == 413;
            put(application_->malformed(too_long                  ? 413
                                        : turn->stream->is_over() ? 408
                                                                  : 400),
                response);
        });
        set_exception_handler([this](const httplib::Request&, httplib::Response& response,
                                     const std::exception_ptr&) {
            turn->closes = true;
            put(application_->malformed(500), response);
        });
    }

    // True: it is answered already.
    bool admit(const httplib::Request& request, httplib::Response& response)
    {
        const auto head = head_of(request);
        if (ConnectionThreads::is_refusing()) {
            turn->closes = true;
            put(application_->overloaded(), response);
            return true;
        }
        if (const int fault = fault_of(head, settings_); fault != 0) {
            turn->closes = true;
            put(application_->malformed(fault), response);
            return true;
        }
        auto admitted = application_->admit(head);
        if (auto* work = std::get_if<Work>(&admitted)) {
            turn->work = std::move(*work);
            return false;
        }
        // Its body is read all the same, and the connection goes on behind it.
        turn->work = [answer = std::move(std::get<Answer>(admitted))](const std::string&) {
            return answer;
        };
        return false;
    }

    // The one place where the library leaves the connection to us: TLS, deadlines and bounds.
    bool process_and_close_socket(socket_t socket) override
    {
        ++connections_;
        TlsStream stream(socket, current(), limits_);
        if (stream.shake_hands()) {
            while (await_request(stream) && serve(stream)) continue;
            stream.say_goodbye();
        }
        --connections_;
        return true;
    }

    // With the request that each is in.
    void end_connections()
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        for (const auto* stream : idle_) stream->stop_listening();
    }

    bool await_request(TlsStream& stream)
    {
        {
            const std::lock_guard lock(mutex_);
            if (ending_) return false;
            idle_.insert(&stream);
        }
        const bool there = stream.await_request();
        const std::lock_guard lock(mutex_);
        idle_.erase(&stream);
        return there;
    }

    bool serve(TlsStream& stream)
    {
        Turn now{.stream = &stream, .work = {}};
        turn = &now;
        bool closed = false;
        const bool served = process_request(stream, stopping_, closed, nullptr);
        turn = nullptr;
        return stream.flush() && served && !closed && !now.closes && !stopping_;
    }

    tls::Context current()
    {
        const std::lock_guard lock(mutex_);
        return context_;
    }

    ServerSettings settings_;
    StreamLimits limits_;
    mutable std::mutex mutex_;
    tls::Context context_;
    std::set<TlsStream*> idle_;  // between two requests
    Application* application_;
    std::atomic<std::uint16_t> port_ = 0;  // is set again where the socket is made anew
    std::atomic<std::size_t> connections_ = 0;
    std::atomic<bool> stopping_ = false, finished_ = false;
    bool started_ = false, ending_ = false;
};

}  // namespace

Result<std::unique_ptr<HttpsServer>> HttpsServer::bind(const ServerSettings& settings,
                                                       tls::Context context,
                                                       Application& application)
{
    auto server = std::make_unique<Server>(settings, std::move(context), application);
    if (const int failed = server->bind(); failed != 0) {
        return Error{.code = Errc::file_rejected,
                     .detail = static_cast<std::uint32_t>(failed),
                     .where = "address and port of the service"};
    }
    return std::unique_ptr<HttpsServer>(std::move(server));
}

}  // namespace tallycard::service
