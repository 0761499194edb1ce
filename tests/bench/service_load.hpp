// SPDX-License-Identifier: Apache-2.0
// tallycard-issuerd in a process of its own, and terminals that cost little: what they send lies
// ready, and of an answer they read no more than they need.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <openssl/ssl.h>

namespace tallycard::bench {

inline std::string text_of(const std::filesystem::path& path)
{
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

class IssuerdProcess {
public:
    IssuerdProcess(const std::string& program, const std::filesystem::path& folder,
                   const std::string& more)
        : folder_(folder)
    {
        const auto config = folder.string() + ".conf", log = folder.string() + ".log";
        std::ofstream(config) << "folder = " << folder.string() << "\nlisten = 127.0.0.1:0\n"
                              << more;
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
            ::dup2(file, STDERR_FILENO);
            ::execl(program.c_str(), program.c_str(), "--config", config.c_str(), "--init",
                    static_cast<char*>(nullptr));
            ::_exit(127);
        }
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (port_ == 0) {
            const auto said = text_of(log);
            const auto at = said.find("\"port\":");
            if (at != std::string::npos) port_ = std::stoi(said.substr(at + 7));
            if (std::chrono::steady_clock::now() > end)
                throw std::runtime_error("issuerd: " + said);
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    IssuerdProcess(const IssuerdProcess&) = delete;
    IssuerdProcess& operator=(const IssuerdProcess&) = delete;
    ~IssuerdProcess()
    {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
    }

    std::uint16_t port() const { return static_cast<std::uint16_t>(port_); }
    std::string file(const char* name) const { return folder_ / name; }
    std::string token(const char* client) const
    {
        auto token = text_of(folder_ / (std::string(client) + ".token"));
        token.pop_back();
        return token;
    }
    // Resident, in KiB.
    long memory() const
    {
        const auto status = text_of("/proc/" + std::to_string(pid_) + "/status");
        return std::stol(status.substr(status.find("VmRSS:") + 6));
    }

    // What its threads have used of the processors so far, in microseconds.
    double processor_us() const
    {
        std::istringstream fields(text_of("/proc/" + std::to_string(pid_) + "/stat"));
        fields.ignore(4096, ')');
        std::string skipped;
        for (int i = 0; i < 11; ++i) fields >> skipped;
        double user = 0, kernel = 0;
        fields >> user >> kernel;
        return (user + kernel) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

private:
    std::filesystem::path folder_;
    pid_t pid_ = -1;
    int port_ = 0;
};

// One connection, kept.
class Line {
public:
    explicit Line(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0))
    {
        const int on = 1;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("connect");
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ssl_ = SSL_new(context());
        SSL_set_fd(ssl_, socket_);
        if (SSL_connect(ssl_) != 1) throw std::runtime_error("TLS");
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line()
    {
        SSL_free(ssl_);
        ::close(socket_);
    }

    static std::string post(const char* path, const std::string& token, const std::string& body)
    {
        return std::string("POST ") + path +
               " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer " +
               token + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    int socket() const { return socket_; }
    std::string ask(const std::string& request)
    {
        send(request);
        return receive();
    }
    void send(const std::string& request)
    {
        if (SSL_write(ssl_, request.data(), static_cast<int>(request.size())) <= 0)
            throw std::runtime_error("send");
    }
    // The body of the answer, which has to be 200.
    std::string receive()
    {
        std::string answer;
        std::size_t head = std::string::npos, wanted = 1;
        while (answer.size() < wanted) {
            char part[4096];
            const int size = SSL_read(ssl_, part, sizeof part);
            if (size <= 0) throw std::runtime_error("the service hung up");
            answer.append(part, static_cast<std::size_t>(size));
            if (head == std::string::npos) {
                head = answer.find("\r\n\r\n");
                if (head == std::string::npos) continue;
                wanted = head + 4 + std::stoul(answer.substr(answer.find("Content-Length: ") + 16));
            }
        }
        if (!answer.starts_with("HTTP/1.1 200")) throw std::runtime_error(answer);
        return answer.substr(head + 4);
    }

private:
    // Trusts whatever answers: it measures.
    static SSL_CTX* context()
    {
        static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
        return context;
    }
    int socket_;
    SSL* ssl_ = nullptr;
};

}  // namespace tallycard::bench
