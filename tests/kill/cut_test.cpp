// SPDX-License-Identifier: Apache-2.0
// A terminal program whose power fails, or which is killed, at every single call that changes one
// of its files: the card's image, the journal, the platform's store. What is found again is the old
// or the new; the journal alone brings every operation to its end.
#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>

#include "conformance/child.hpp"
#include "shim.hpp"
#include "support/terminal_program.hpp"

using namespace tallycard;
using namespace testing;
using shim::How;

namespace {

constexpr std::int64_t funds = 500'00;

struct Deed {
    std::uint32_t id;
    std::int64_t change;
    Outcome (*ask)(Terminal&, CardLink&, const OperationId&, Amount);
};

constexpr std::array deeds = {
    Deed{101, 5'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Amount n) {
             return t.top_up(c, id, n);
         }},
    Deed{102, -1'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Amount n) {
             return t.pay(c, id, n, TerminalProgram::shop());
         }},
    Deed{103, -2'00,
         [](Terminal& t, CardLink& c, const OperationId& id, Amount n) {
             return t.transfer_out(c, id, n, TerminalProgram::shop());
         }},
};

// What a terminal does all day. Ends early where the power does.
bool work(const std::string& folder)
{
    TerminalProgram program(folder);
    for (const auto& deed : deeds) {
        const auto amount = Amount::minor_units(std::abs(deed.change));
        const auto outcome =
            deed.ask(*program.terminal, *program.link, test::id_of<OperationId>(deed.id), amount);
        if (!std::holds_alternative<Applied>(outcome)) return false;
    }
    for (const auto& drained : program.terminal->drain())
        if (drained.entry.is_open()) return false;
    return true;
}

bool drain(const std::string& folder)
{
    TerminalProgram program(folder);
    return program.terminal->drain(*program.link).has_value();
}

// I7 and I1, I3, I9: each operation has ended, card, journal, platform and books say the same.
void check(const std::string& folder)
{
    TerminalProgram program(folder);
    const auto drained = program.terminal->drain(*program.link);
    REQUIRE(drained);
    for (const auto& one : *drained) CHECK_FALSE(one.entry.is_open());
    std::int64_t expected = funds;
    for (const auto& deed : deeds) {
        const auto* entry = program.journal->find(test::id_of<OperationId>(deed.id));
        if (entry == nullptr) continue;
        CHECK_FALSE(entry->is_open());
        if (entry->stage == JournalStage::acknowledged) expected += deed.change;
    }
    CHECK(program.balance() == expected);
    const auto resolved = program.terminal->resolve(*program.link);
    REQUIRE(resolved);
    CHECK_FALSE(resolved->standing.pending);
    CHECK(static_cast<std::int64_t>(resolved->standing.balance.to_minor_units()) == expected);
    std::int64_t sum = expected;
    for (const auto& row : program.platform->accounts().value()) {
        sum += row.balance;
        CHECK(row.reserved == 0);
    }
    CHECK(sum == 0);
}

// A folder with a card and its issuer, copied for each cut.
class Fixture {
public:
    Fixture() { TerminalProgram(origin_.file("")).issue(); }

    std::string fresh()
    {
        const auto folder = copies_.file("now");
        std::filesystem::remove_all(folder);
        std::filesystem::copy(origin_.path(), folder);
        return folder;
    }

private:
    test::TemporaryFolder origin_, copies_;
};

// True when it was cut.
template <class Body>
bool cut(const shim::Plan& plan, Body body)
{
    Child child([&] {
        shim::begin(plan);
        return body();
    });
    const bool succeeded = child.succeeded();
    CHECK((succeeded || child.was_killed()));
    return child.was_killed();
}

// Cuts at every `stride`th call on files whose path begins with `prefix` in the folder, from the
// first; afterwards once more while what was cut is mended. The number of cuts.
int cut_everywhere(Fixture& fixture, const std::string& prefix, How how, int first, int stride)
{
    int cuts = 0;
    for (int at = first;; at += stride, ++cuts) {
        CAPTURE(prefix, static_cast<int>(how), at);
        const auto folder = fixture.fresh();
        const auto seed = static_cast<std::uint64_t>(at);
        if (!cut({folder + "/" + prefix, how, at, EIO, seed}, [&] { return work(folder); })) break;
        (void)cut({folder + "/", How::drop_unsynced, 1 + at % 29, EIO, seed},
                  [&] { return drain(folder); });
        check(folder);
    }
    return cuts;
}

bool at_length()
{
    const char* length = std::getenv("TALLYCARD_CUTS");
    return length != nullptr && std::string(length) == "all";
}

constexpr std::array ways = {How::kill_before, How::kill_in, How::drop_unsynced, How::keep_some};

}  // namespace

TEST_CASE("a card's image that is cut at any write is the old or the new one", "[kill]")
{
    Fixture fixture;
    int cuts = 0;
    for (const auto how : ways) cuts += cut_everywhere(fixture, "card", how, 1, 1);
    WARN(cuts << " cuts of the card's image");
    CHECK(cuts >= 4 * 6);
}

TEST_CASE("a journal that is cut at any write brings each operation to its end", "[kill]")
{
    Fixture fixture;
    int cuts = 0;
    for (const auto how : ways) cuts += cut_everywhere(fixture, "journal", how, 1, 1);
    WARN(cuts << " cuts of the journal");
    CHECK(cuts >= 4 * 20);
}

TEST_CASE("a platform that is cut at any write has settled, or has not", "[kill]")
{
    Fixture fixture;
    int cuts = 0;
    for (std::size_t i = 0; i < ways.size(); ++i) {
        const int stride = at_length() ? 1 : 4;
        cuts += cut_everywhere(fixture, "store", ways.at(i),
                               at_length() ? 1 : 1 + static_cast<int>(i), stride);
    }
    WARN(cuts << " cuts of the store");
    CHECK(cuts >= 40);
}

TEST_CASE("a machine whose power fails at any write has lost nothing", "[kill]")
{
    Fixture fixture;
    int cuts = 0;
    for (const auto how : {How::drop_unsynced, How::keep_some})
        cuts +=
            cut_everywhere(fixture, "", how, how == How::keep_some ? 2 : 1, at_length() ? 1 : 4);
    WARN(cuts << " cuts of the whole machine");
    CHECK(cuts >= 40);
}
