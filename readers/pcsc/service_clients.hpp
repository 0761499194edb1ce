// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace tallycard::pcsc {

// The processes that are connected to the PC/SC service. The service does not say who holds a card;
// the kernel says who talks to the service.
struct ServiceClients {
    std::vector<std::uint32_t> others;  // but for this process; each once, ascending
    bool complete = false;  // no connection of a process that may not be looked into is missing
};

ServiceClients service_clients();

}  // namespace tallycard::pcsc
