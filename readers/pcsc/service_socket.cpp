// SPDX-License-Identifier: Apache-2.0
#include "service_socket.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace tallycard::pcsc {

bool is_service(std::string_view path)
{
    const char* chosen = std::getenv("PCSCLITE_CSOCK_NAME");
    return chosen != nullptr ? path == chosen : path.ends_with("/pcscd.comm");
}

namespace {

bool leads_to_service(int descriptor)
{
    sockaddr_un peer{};
    socklen_t size = sizeof peer;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return false;
    if (peer.sun_family != AF_UNIX) return false;
    const auto longest = std::min<std::size_t>(size, sizeof peer) - offsetof(sockaddr_un, sun_path);
    return is_service({peer.sun_path, strnlen(peer.sun_path, longest)});
}

bool is_socket(int descriptor)
{
    struct stat status {};
    return fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

struct Connection {
    ServiceSocket socket;
    ino_t inode = 0;
};

// Looks at duplicates: another thread may close the original meanwhile.
std::vector<Connection> connections()
{
    std::vector<Connection> found;
    const auto close_folder = [](DIR* folder) { closedir(folder); };
    const std::unique_ptr<DIR, decltype(close_folder)> folder(opendir("/proc/self/fd"));
    if (!folder) return found;
    while (const dirent* entry = readdir(folder.get())) {
        const auto descriptor = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));
        if (!is_socket(descriptor)) continue;
        const int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
        if (own < 0) continue;
        ServiceSocket socket(own);
        struct stat status {};
        if (leads_to_service(own) && fstat(own, &status) == 0)
            found.push_back({std::move(socket), status.st_ino});
    }
    return found;
}

}  // namespace

ServiceSocket::~ServiceSocket()
{
    if (descriptor_ >= 0) close(descriptor_);
}

void ServiceSocket::end() const noexcept
{
    if (descriptor_ >= 0) shutdown(descriptor_, SHUT_RDWR);
}

SocketFinder::SocketFinder()
{
    for (const auto& connection : connections()) before_.push_back(connection.inode);
}

std::vector<ServiceSocket> SocketFinder::find() const
{
    std::vector<ServiceSocket> sockets;
    std::vector<ino_t> seen = before_;
    for (auto& connection : connections()) {
        if (std::ranges::find(seen, connection.inode) != seen.end()) continue;
        seen.push_back(connection.inode);
        sockets.push_back(std::move(connection.socket));
    }
    return sockets;
}

}  // namespace tallycard::pcsc
