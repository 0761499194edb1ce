// SPDX-License-Identifier: Apache-2.0
// Stands between libpq and the server, and cuts a session at a COMMIT.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "support/temporary_folder.hpp"

namespace tallycard::test {

class PostgresProxy {
public:
    enum class Cut { none, before_commit, after_commit };

    // `server` is the folder of the server's socket.
    explicit PostgresProxy(const std::string& server)
        : server_(server + "/.s.PGSQL.5432"), listener_(::socket(AF_UNIX, SOCK_STREAM, 0))
    {
        const auto address = address_of(folder_.file(".s.PGSQL.5432"));
        if (::bind(listener_, as_sockaddr(address), sizeof address) != 0 ||
            ::listen(listener_, 8) != 0 || ::pipe(stop_.data()) != 0)
            throw std::runtime_error("the proxy does not listen");
        thread_ = std::thread([this] { serve(); });
    }
    PostgresProxy(const PostgresProxy&) = delete;
    PostgresProxy& operator=(const PostgresProxy&) = delete;
    ~PostgresProxy()
    {
        ::close(stop_[1]);
        thread_.join();
        for (const int file : {listener_, stop_[0]}) ::close(file);
    }

    std::string folder() const { return folder_.path(); }
    // The next COMMIT is the last that its session says, or the last that it is not told of.
    void cut_next(Cut cut) { cut_ = cut; }
    bool has_cut() const { return cut_ == Cut::none; }

private:
    static sockaddr_un address_of(const std::string& path)
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        return address;
    }
    static const sockaddr* as_sockaddr(const sockaddr_un& address)
    {
        return reinterpret_cast<const sockaddr*>(&address);
    }

    // One session after the other.
    void serve()
    {
        while (wait_for(listener_, stop_[0]) == 0) {
            const int client = ::accept(listener_, nullptr, nullptr);
            const int server = ::socket(AF_UNIX, SOCK_STREAM, 0);
            const auto address = address_of(server_);
            if (::connect(server, as_sockaddr(address), sizeof address) == 0) relay(client, server);
            ::close(client);
            ::close(server);
        }
    }

    // Which of the two can be read; -1: it is time to stop.
    int wait_for(int first, int second) const
    {
        std::array<pollfd, 3> files{pollfd{first, POLLIN, 0}, pollfd{second, POLLIN, 0},
                                    pollfd{stop_[0], POLLIN, 0}};
        while (::poll(files.data(), files.size(), -1) < 0) {
        }
        if (files[2].revents != 0) return -1;
        return files[0].revents != 0 ? 0 : 1;
    }

    void relay(int client, int server)
    {
        std::array<char, 65536> bytes;
        bool is_lost = false;
        for (;;) {
            const int ready = wait_for(client, server);
            if (ready < 0) return;
            const int from = ready == 0 ? client : server, to = ready == 0 ? server : client;
            const auto size = ::read(from, bytes.data(), bytes.size());
            if (size <= 0) return;
            const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
            if (ready == 0 && text.find("COMMIT") != std::string_view::npos) {
                const auto cut = cut_.exchange(Cut::none);
                if (cut == Cut::before_commit) return;
                is_lost = cut == Cut::after_commit;
            } else if (is_lost) {
                return;  // the server has answered: it is done
            }
            if (::write(to, bytes.data(), text.size()) != size) return;
        }
    }

    TemporaryFolder folder_;
    std::string server_;
    int listener_;
    std::array<int, 2> stop_{};
    std::atomic<Cut> cut_ = Cut::none;
    std::thread thread_;
};

}  // namespace tallycard::test
