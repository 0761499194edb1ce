// SPDX-License-Identifier: Apache-2.0
// The text of a fault plan: whatever it is, a plan within its bounds or an error inside the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <tallycard/fault_plan.hpp>

namespace {

void expect(bool holds)
{
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace tallycard;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto plan = FaultPlan::parse(text);
    if (!plan) {
        const auto lines = std::ranges::count(text, '\n') + 1;
        expect(plan.error().code == Errc::file_malformed);
        expect(plan.error().detail <= static_cast<std::size_t>(lines));
        expect(plan.error().column >= 1 && plan.error().column <= size + 1);
        return 0;
    }
    for (const auto& fault : plan->faults) {
        expect(fault.number >= 1 || fault.when == PlannedFault::When::chance);
        expect(fault.when != PlannedFault::When::chance || fault.number <= PlannedFault::million);
        expect(name(fault.kind)[0] != '\0');
    }
    return 0;
}
