// SPDX-License-Identifier: Apache-2.0
// The platform, asked by a terminal that says what it likes: genuine operations and results,
// changed ones, ones that broken and cloned cards signed, raw bytes; and a store that fails, and a
// machine that stops. The books sum up to zero after each of them (I3), what is refused changes
// nothing but the deny list, and what gaps of a denied card move (I12, I14), and only what a card
// or the owner of an account signed moves value (I10, I11, I19).
#include "hostile_terminal.hpp"
#include "same_random.hpp"

namespace fuzz {

using namespace tallycard;

void HostileTerminal::step()
{
    switch (input_.below(16)) {
    case 0: authorise(); break;
    case 1: accounts(); break;
    case 2: execute(); break;
    case 3:
    case 4: settle(); break;
    case 5: settle_changed(); break;
    case 6: pay(); break;
    case 7: transfer(); break;
    case 8: broken_card(); break;
    case 9: void_pending(); break;
    case 10: administer(); break;
    case 11: settle_many(); break;
    case 12: settle_raw(); break;
    case 13: look(); break;
    case 14: fail(); break;
    default: restart();
    }
}

// After every call.
void HostileTerminal::changed(const Error* error)
{
    const bool failed =
        error != nullptr && (error->code == Errc::store_failed ||
                             error->code == Errc::file_in_use || error->code == Errc::file_damaged);
    FUZZ_CHECK(!failed || is_failing_);
    const bool in_doubt = failed && error->effect == Effect::unknown;
    if (is_failing_ && (failed || IssuerWorld::disk().stopped())) mend();
    const auto now = world_.view();
    if (error != nullptr && !in_doubt) {
        FUZZ_CHECK(now.value == last_.value || world_.only_closed_gaps(last_.entries));
        FUZZ_CHECK(now.standing == last_.standing || error->code == Errc::evidence);
    }
    FUZZ_CHECK(now.entries >= last_.entries);
    last_ = now;
}

void HostileTerminal::mend()
{
    is_failing_ = false;
    world_.recover();
    FUZZ_CHECK(world_.restart());  // I15
}

void HostileTerminal::fail()
{
    using simulation::FaultKind;
    constexpr FaultKind kinds[] = {
        FaultKind::statement_fails, FaultKind::platform_crash_at_statement,
        FaultKind::platform_crash_at_write, FaultKind::disk_full, FaultKind::sync_fails};
    const auto kind = kinds[input_.below(std::size(kinds))];
    world_.plan({.kind = kind, .at = input_.byte() % 32u, .value = 0});
    is_failing_ = true;
}

void HostileTerminal::restart()
{
    if (is_failing_) return mend_and_look();
    FUZZ_CHECK(world_.restart());
    FUZZ_CHECK(world_.view() == last_);
}

void HostileTerminal::mend_and_look()
{
    mend();
    last_ = world_.view();
}

}  // namespace fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr std::size_t most_steps = 16;
    const fuzz::SameRandom random;
    fuzz::Input input(data, size);
    fuzz::HostileTerminal terminal(input);
    for (std::size_t i = 0; i < most_steps && !input.empty(); ++i) terminal.step();
    return 0;
}
