// SPDX-License-Identifier: Apache-2.0
#include "remote_platform.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <stdexcept>

namespace testing {
namespace {

template <class T>
using BytesOf = std::array<std::byte, sizeof(T)>;

sockaddr_un address_of(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
}

template <class T>
bool send_whole(const Descriptor& socket, const T& message)
{
    const auto bytes = std::bit_cast<BytesOf<T>>(message);
    return ::send(*socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
}

template <class T>
std::optional<T> receive_whole(const Descriptor& socket)
{
    BytesOf<T> bytes;
    const auto size = ::recv(*socket, bytes.data(), bytes.size(), 0);
    if (size != static_cast<ssize_t>(bytes.size())) return std::nullopt;
    return std::bit_cast<T>(bytes);
}

bool answer(const Descriptor& client, Platform& platform, const PlatformCall& call)
{
    using What = PlatformCall::What;
    switch (call.what) {
    case What::standing: return send_whole(client, platform.standing(call.card_id, call.terminal));
    case What::authorise: return send_whole(client, platform.authorise(call.request.value()));
    case What::transfer:
        return send_whole(client, platform.authorise_transfer(call.transfer.value()));
    case What::status: return send_whole(client, platform.status(call.id, call.terminal));
    case What::cancel: return send_whole(client, platform.void_pending(call.card_id));
    case What::settle: return send_whole(client, platform.settle(call.submission.value()));
    case What::account_standing:
        return send_whole(client, platform.account_standing(call.account.value()));
    case What::execute: return send_whole(client, platform.execute(call.order.value()));
    }
    return false;
}

}  // namespace

void serve_platform(const std::string& socket_path, Platform& platform,
                    const std::function<void()>& ready)
{
    const auto address = address_of(socket_path);
    ::unlink(socket_path.c_str());
    const Descriptor listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(*listener, generic, sizeof address) != 0 || ::listen(*listener, 8) != 0) return;
    ready();
    for (;;) {
        const Descriptor client(::accept4(*listener, nullptr, nullptr, SOCK_CLOEXEC));
        if (!client.is_open()) return;
        for (auto call = receive_whole<PlatformCall>(client); call;
             call = receive_whole<PlatformCall>(client)) {
            if (!answer(client, platform, *call)) break;
        }
    }
}

bool RemotePlatform::connect()
{
    if (socket_.is_open()) return true;
    const auto address = address_of(path_);
    Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(*socket, generic, sizeof address) != 0) return false;
    socket_ = std::move(socket);
    return true;
}

template <class T>
Result<T> RemotePlatform::ask(const PlatformCall& call)
{
    Error lost{.code = Errc::issuer_unreachable, .where = "platform"};
    if (!connect()) return lost;
    if (send_whole(socket_, call)) {
        lost.effect = Effect::unknown;
        if (const auto received = receive_whole<Result<T>>(socket_)) return *received;
    }
    socket_ = Descriptor();
    return lost;
}

Result<CardStanding> RemotePlatform::standing(const CardId& card_id,
                                              const std::optional<AccountId>& terminal)
{
    return ask<CardStanding>(
        {.what = PlatformCall::What::standing, .card_id = card_id, .terminal = terminal});
}

Result<OperationStatus> RemotePlatform::authorise(const OperationRequest& request)
{
    return ask<OperationStatus>({.what = PlatformCall::What::authorise, .request = request});
}

Result<OperationStatus> RemotePlatform::authorise_transfer(const TransferRequest& request)
{
    return ask<OperationStatus>({.what = PlatformCall::What::transfer, .transfer = request});
}

Result<OperationStatus> RemotePlatform::status(const OperationId& id,
                                               const std::optional<AccountId>& terminal)
{
    return ask<OperationStatus>(
        {.what = PlatformCall::What::status, .terminal = terminal, .id = id});
}

Result<FirstInstruction> RemotePlatform::void_pending(const CardId& card_id)
{
    return ask<FirstInstruction>({.what = PlatformCall::What::cancel, .card_id = card_id});
}

Result<Settlement> RemotePlatform::settle(const Submission& submission)
{
    return ask<Settlement>({.what = PlatformCall::What::settle, .submission = submission});
}

Result<AccountStanding> RemotePlatform::account_standing(const AccountId& account)
{
    return ask<AccountStanding>({.what = PlatformCall::What::account_standing, .account = account});
}

Result<ExecutedOrder> RemotePlatform::execute(const SignedOrder& order)
{
    return ask<ExecutedOrder>({.what = PlatformCall::What::execute, .order = order});
}

}  // namespace testing
