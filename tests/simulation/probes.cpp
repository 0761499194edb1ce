// SPDX-License-Identifier: Apache-2.0
#include "probes.hpp"

#include <array>

namespace simulation {

// A run in which one of these never happened has not tested what it is for.
std::vector<std::string> Probes::missing() const
{
    constexpr std::array must = {
        "EXECUTE replayed",
        "another terminal between",
        "asked again for an open operation",
        "asked for more than the card takes",
        "broken card judged",
        "card behind",
        "card cloned",
        "card held by another terminal",
        "card rolled back",
        "card stopped during a command",
        "card to card, both halves",
        "cash-out of another terminal refused",
        "clone proven",
        "debit of another terminal voided",
        "debit withheld from another terminal",
        "executed, and power cut before the answer",
        "instruction for a request that was replaced",
        "interrupted write that counts",
        "issuing repeated",
        "issuer overreached",
        "journal cut short",
        "late call arrived",
        "made-up commands",
        "made-up results",
        "old store refused",
        "operation applied",
        "operation in doubt",
        "operation not applied",
        "payment forwarded",
        "pending operation delivered",
        "pending operation voided",
        "PIN blocked",
        "PIN opened and set again",
        "platform crashed during a call",
        "platform crashed while it started",
        "power cut during recovery",
        "result kept until those before it come",
        "result settled again",
        "results of the log settled",
        "terminal killed",
        "transfer signed for a hostile terminal",
    };
    std::vector<std::string> never;
    for (const auto* probe : must)
        if (count(probe) == 0) never.emplace_back(probe);
    return never;
}

}  // namespace simulation
