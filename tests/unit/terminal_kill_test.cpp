// SPDX-License-Identifier: Apache-2.0
// A terminal program that is killed between any two steps: before and after each command to the
// card and each call of the platform. The next program asks with the same id.
#include <csignal>
#include <cstdlib>

#include <catch2/catch.hpp>

#include "conformance/child.hpp"
#include "support/terminal_program.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = TerminalProgram::shop();

using Ask = Outcome (*)(Terminal&, CardLink&, const OperationId&, Asked);

// Runs the operation in a process of its own, which is killed after so many steps. True when it
// was.
bool killed_at(const std::string& folder, int step, Ask ask, const OperationId& id)
{
    Child child([&] {
        ::setenv("TMPDIR", folder.c_str(), 1);  // what it leaves behind goes with the test
        int left = step;
        TerminalProgram program(folder, [&left] {
            if (left-- == 0) ::raise(SIGKILL);
        });
        const auto outcome = ask(*program.terminal, *program.card, id, Asked::first_time);
        return std::holds_alternative<Applied>(outcome);
    });
    const bool succeeded = child.succeeded();
    CHECK((succeeded || child.was_killed()));
    return child.was_killed();
}

const auto one = Amount::minor_units(1'00);

}  // namespace

TEST_CASE("a terminal killed between any two steps finds its operation done once", "[terminal]")
{
    struct Scenario {
        const char* name;
        std::int64_t change;
        Ask ask;
    };
    const Scenario scenarios[] = {
        {"top-up", 1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked) {
             return t.top_up(c, id, one);
         }},
        {"transfer out", -1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked) {
             return t.transfer_out(c, id, one, shop);
         }},
        {"transfer in", 1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked) {
             auto owner = test::account_owner();
             return t.transfer_in(c, id, one, shop, &owner);
         }},
        {"payment", -1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Asked asked) {
             return t.pay(c, id, one, shop, nullptr, asked);
         }},
    };
    test::TemporaryFolder folder;
    const auto path = folder.file("");
    TerminalProgram(path).issue();
    std::uint32_t ids = 100;
    for (const auto& scenario : scenarios) {
        int step = 0;
        for (bool killed = true; killed; ++step) {
            const bool by_journal = step % 2 == 0;
            CAPTURE(scenario.name, step, by_journal);
            const auto id = test::id_of<OperationId>(++ids);
            const auto before = TerminalProgram(path).balance();
            killed = killed_at(path, step, scenario.ask, id);

            TerminalProgram next(path);
            bool happened = true;
            if (by_journal) {
                REQUIRE(next.terminal->drain(*next.link));
                const auto* entry = next.journal->find(id);
                happened = entry != nullptr && entry->stage == JournalStage::acknowledged;
                CHECK((entry == nullptr || !entry->is_open()));
            } else {
                const auto outcome = scenario.ask(*next.terminal, *next.link, id, Asked::again);
                CHECK(std::holds_alternative<Applied>(outcome));
            }
            CHECK(next.balance() == before + (happened ? scenario.change : 0));
            const auto resolved = next.terminal->resolve(*next.link);
            REQUIRE(resolved);
            CHECK_FALSE(resolved->standing.pending);
            CHECK(static_cast<std::int64_t>(resolved->standing.balance.to_minor_units()) ==
                  next.balance());
        }
        CHECK(step > 4);
    }
}
