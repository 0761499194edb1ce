// SPDX-License-Identifier: Apache-2.0
#include "card_holder.hpp"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "service_clients.hpp"

namespace tallycard::pcsc {

namespace {

std::mutex uses_mutex;

std::vector<const OwnUse*>& uses()
{
    static std::vector<const OwnUse*> all;
    return all;
}

// The process of the first use that is so; 0: none is.
template <class Predicate>
std::uint32_t process_of(Predicate predicate)
{
    const std::lock_guard lock(uses_mutex);
    const auto found = std::ranges::find_if(uses(), predicate);
    return found == uses().end() ? 0 : (*found)->process();
}

std::uint32_t only_other()
{
    const auto clients = service_clients();
    const bool certain = clients.complete && clients.others.size() == 1;
    return certain ? clients.others.front() : 0;
}

}  // namespace

OwnUse::OwnUse(std::string reader, DWORD share_mode)
    : reader_(std::move(reader)),
      share_mode_(share_mode),
      process_(static_cast<std::uint32_t>(getpid()))
{
    const std::lock_guard lock(uses_mutex);
    uses().push_back(this);
}

OwnUse::~OwnUse()
{
    const std::lock_guard lock(uses_mutex);
    std::erase(uses(), this);
}

std::uint32_t violator(const std::string& reader, DWORD share_mode, const OwnUse* own)
{
    const auto ours = process_of([&](const OwnUse* use) {
        const bool stands_in_the_way =
            share_mode == SCARD_SHARE_EXCLUSIVE || use->share_mode() == SCARD_SHARE_EXCLUSIVE;
        return use != own && use->reader() == reader && stands_in_the_way;
    });
    return ours != 0 ? ours : only_other();
}

std::uint32_t other_user(const std::string& reader, const OwnUse* own)
{
    const auto perhaps_ours =
        process_of([&](const OwnUse* use) { return use != own && use->reader() == reader; });
    return perhaps_ours != 0 ? 0 : only_other();
}

}  // namespace tallycard::pcsc
