// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string_view>
#include <utility>
#include <vector>

namespace tallycard::pcsc {

// Whether a socket of this name is the service's: where PCSCLITE_CSOCK_NAME says, or by its name,
// wherever the distribution puts it.
bool is_service(std::string_view path);

// A second descriptor of the socket that pcsc-lite talks to the service through. pcsc-lite does not
// give it out; what it is for is end(), the one thing that makes a call return that does not.
class ServiceSocket {
public:
    ServiceSocket() = default;
    explicit ServiceSocket(int descriptor) : descriptor_(descriptor) {}
    ServiceSocket(ServiceSocket&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1))
    {
    }
    ServiceSocket& operator=(ServiceSocket&& other) noexcept
    {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ServiceSocket(const ServiceSocket&) = delete;
    ServiceSocket& operator=(const ServiceSocket&) = delete;
    ~ServiceSocket();

    bool is_known() const { return descriptor_ >= 0; }
    // The call that waits for the service, and all later ones, fail. From any thread.
    void end() const noexcept;

private:
    int descriptor_ = -1;
};

// Sees which socket pcsc-lite opens: make one before SCardEstablishContext, ask it after.
class SocketFinder {
public:
    SocketFinder();

    // The connections to the service that are new since. Two, when another thread opened one just
    // now; none, where /proc is not to be had.
    std::vector<ServiceSocket> find() const;

private:
    std::vector<ino_t> before_;
};

}  // namespace tallycard::pcsc
