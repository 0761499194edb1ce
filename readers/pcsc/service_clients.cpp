// SPDX-License-Identifier: Apache-2.0
#include "service_clients.hpp"

#include <dirent.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <tallycard/pcsc.hpp>

#include "../../src/protocol/program_name.hpp"
#include "service_socket.hpp"

namespace tallycard::pcsc {

namespace {

using Inode = std::uint32_t;  // as sock_diag gives it

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor()
    {
        if (number_ >= 0) close(number_);
    }
    int number() const { return number_; }

private:
    int number_;
};

// Asks for all connected Unix sockets, with name and peer: sock_diag(7).
bool ask(int netlink)
{
    struct {
        nlmsghdr header;
        unix_diag_req request;
    } message{};
    message.header.nlmsg_len = sizeof message;
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = AF_UNIX;
    constexpr std::uint32_t established = 1;  // TCP_ESTABLISHED, for any kind of socket
    message.request.udiag_states = 1u << established;
    message.request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
    return send(netlink, &message, sizeof message, 0) == ssize_t{sizeof message};
}

template <class T>
T read_as(std::span<const char> bytes)
{
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

// Netlink puts every part where a multiple of four begins.
std::size_t aligned(std::size_t size)
{
    return (size + 3) & ~std::size_t{3};
}

// The far end of one connected socket, if its near end is the service's. `attributes`: one after
// the other, length and type before each.
std::optional<Inode> peer_of_service(std::span<const char> attributes)
{
    bool of_service = false;
    std::optional<Inode> peer;
    while (attributes.size() >= sizeof(nlattr)) {
        const auto header = read_as<nlattr>(attributes);
        if (header.nla_len < sizeof header || header.nla_len > attributes.size()) break;
        const auto data = attributes.first(header.nla_len).subspan(sizeof header);
        if (header.nla_type == UNIX_DIAG_NAME) {
            of_service = is_service({data.data(), strnlen(data.data(), data.size())});
        } else if (header.nla_type == UNIX_DIAG_PEER && data.size() == sizeof(Inode)) {
            peer = read_as<Inode>(data);
        }
        attributes = attributes.subspan(std::min(aligned(header.nla_len), attributes.size()));
    }
    return of_service ? peer : std::nullopt;
}

// Takes the client ends from one datagram. False: it was the last one; empty: it is none.
std::optional<bool> take(std::span<const char> datagram, std::set<Inode>& clients)
{
    constexpr auto start = sizeof(nlmsghdr) + sizeof(unix_diag_msg);
    while (datagram.size() >= sizeof(nlmsghdr)) {
        const auto header = read_as<nlmsghdr>(datagram);
        if (header.nlmsg_type == NLMSG_DONE) return false;
        const bool whole = header.nlmsg_len >= start && header.nlmsg_len <= datagram.size();
        if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || !whole) return std::nullopt;
        const auto attributes = datagram.first(header.nlmsg_len).subspan(start);
        if (const auto peer = peer_of_service(attributes)) clients.insert(*peer);
        datagram = datagram.subspan(std::min(aligned(header.nlmsg_len), datagram.size()));
    }
    return true;
}

// The client ends of the service's connections; empty where the kernel does not say.
std::optional<std::set<Inode>> client_sockets()
{
    const Descriptor netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (netlink.number() < 0 || !ask(netlink.number())) return std::nullopt;
    std::set<Inode> clients;
    std::array<char, 32768> buffer;
    for (;;) {
        const auto received = recv(netlink.number(), buffer.data(), buffer.size(), 0);
        if (received <= 0) return std::nullopt;
        const auto more =
            take(std::span(buffer).first(static_cast<std::size_t>(received)), clients);
        if (!more) return std::nullopt;
        if (!*more) return clients;
    }
}

template <class Visit>
bool for_each_entry(const std::string& folder, Visit visit)
{
    const auto close_folder = [](DIR* open) { closedir(open); };
    const std::unique_ptr<DIR, decltype(close_folder)> open(opendir(folder.c_str()));
    if (!open) return false;
    while (const dirent* entry = readdir(open.get())) visit(std::string_view(entry->d_name));
    return true;
}

// "socket:[4711]"
std::optional<Inode> socket_inode(const std::string& descriptor)
{
    std::array<char, 64> target{};
    const auto size = readlink(descriptor.c_str(), target.data(), target.size());
    if (size < 0) return std::nullopt;
    std::string_view text(target.data(), static_cast<std::size_t>(size));
    constexpr std::string_view start = "socket:[";
    if (!text.starts_with(start)) return std::nullopt;
    text.remove_prefix(start.size());
    Inode inode = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), inode);
    return parsed.ec == std::errc{} ? std::optional(inode) : std::nullopt;
}

std::vector<Inode> sockets_of(std::string_view process)
{
    std::vector<Inode> sockets;
    const auto folder = "/proc/" + std::string(process) + "/fd/";
    for_each_entry(folder, [&](std::string_view name) {
        if (const auto inode = socket_inode(folder + std::string(name))) sockets.push_back(*inode);
    });
    return sockets;
}

}  // namespace

ServiceClients service_clients()
{
    ServiceClients clients;
    const auto wanted = client_sockets();
    if (!wanted) return clients;
    auto missing = *wanted;
    const auto ourselves = static_cast<std::uint32_t>(getpid());
    for_each_entry("/proc", [&](std::string_view name) {
        std::uint32_t process = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), process);
        if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) return;
        bool is_client = false;
        for (const auto inode : sockets_of(name)) {
            is_client = is_client || wanted->contains(inode);
            missing.erase(inode);
        }
        if (is_client && process != ourselves) clients.others.push_back(process);
    });
    std::ranges::sort(clients.others);
    clients.complete = missing.empty();
    return clients;
}

}  // namespace tallycard::pcsc

namespace tallycard {

std::vector<PcscClient> pcsc_clients()
{
    std::vector<PcscClient> clients;
    for (const auto process : pcsc::service_clients().others)
        clients.push_back({process, program_name(process)});
    return clients;
}

}  // namespace tallycard
