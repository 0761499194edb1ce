// SPDX-License-Identifier: Apache-2.0
#include "faulty_store.hpp"

#include <utility>

#include "../support/wrapped_store.hpp"

namespace simulation {
namespace {

using namespace tallycard;

constexpr Error failed{.code = Errc::store_failed, .where = "simulation"};

// Whether this call fails, or the machine stops here.
bool goes_wrong(Injector& injector, MemoryDisk& disk)
{
    if (disk.stopped()) return true;
    const auto* fault = injector.event(Place::statement);
    if (fault != nullptr && fault->kind == FaultKind::platform_crash_at_statement) disk.stop();
    return fault != nullptr;
}

}  // namespace

std::unique_ptr<Store> make_faulty(std::unique_ptr<Store> below, Injector& injector,
                                   MemoryDisk& disk)
{
    return std::make_unique<test::WrappedStore<>>(std::move(below), [&]() -> std::optional<Error> {
        if (goes_wrong(injector, disk)) return failed;
        return std::nullopt;
    });
}

}  // namespace simulation
