// SPDX-License-Identifier: Apache-2.0
// What an auditor finds does not depend on how many threads look for it. Run with the thread
// sanitizer, too: tests/run.sh --threads.
#include <catch2/catch.hpp>

#include <filesystem>
#include <thread>
#include <utility>

#include "support/test_export.hpp"
#include "support/wait_until.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// Several batches of cards and of entries, in which the first and the last card pay last.
class LongExport {
public:
    static constexpr std::uint32_t cards = 150, rounds = 4;
    static constexpr std::size_t entries = cards * (1 + rounds);

    LongExport()
    {
        std::vector<SimulatedCard> all;
        for (std::uint32_t i = 0; i < cards; ++i) all.push_back(issuer_.make_card());
        std::vector<Submission> submissions;
        for (auto& card : all) issuer_.run(card, Kind::top_up, 1000);
        for (std::uint32_t round = 0; round < rounds; ++round)
            for (auto& card : all) submissions.push_back(card.pay(1, "shop"));
        for (const auto& one : issuer_->settle_all(submissions).value()) REQUIRE(one);
        issuer_->export_ledger(path(), issuer_.checkpoint_key()).value();
        lines_ = Export::lines(files::read(path(), longest_export).value());
        while (!lines_[first_card_].starts_with("card ")) ++first_card_;
    }

    std::size_t card(std::size_t number) const { return first_card_ + number; }
    std::size_t entry(std::size_t number) const { return first_card_ + cards + number; }
    std::string path() const { return issuer_.folder().file("export"); }
    const std::vector<std::string>& lines() const { return lines_; }

    // With 1 thread; it is the same with 2, with 7, and with all processors.
    LedgerReport verify(const std::vector<std::string>& lines) const
    {
        std::ofstream(path(), std::ios::binary) << Export::join(lines);
        const auto with = [&](unsigned threads) {
            return verify_ledger(path(), issuer_.description(), std::nullopt, std::nullopt, threads)
                .value();
        };
        auto alone = with(1);
        for (const unsigned threads : {2U, 7U, 0U}) {
            CAPTURE(threads);
            const auto several = with(threads);
            CHECK(several.cards == alone.cards);
            CHECK(several.entries == alone.entries);
            CHECK(several.accounts == alone.accounts);
            REQUIRE(several.fault.has_value() == alone.fault.has_value());
            if (!alone.fault) continue;
            CHECK(several.fault->line == alone.fault->line);
            CHECK(several.fault->card == alone.fault->card);
            CHECK(several.fault->sequence == alone.fault->sequence);
            CHECK(several.fault->what == alone.fault->what);
        }
        return alone;
    }

private:
    TestIssuer issuer_;
    std::vector<std::string> lines_;
    std::size_t first_card_ = 0;
};

// In front of the terminal T1, four bytes, is the card's signature.
void damage_signature(std::string& entry)
{
    auto& digit = entry[entry.size() - 9];
    digit = digit == '0' ? '1' : '0';
}

std::size_t threads_of_this_process()
{
    const std::filesystem::directory_iterator all("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

constexpr auto bad_signature = "the card's signature does not verify";
constexpr auto bad_certificate = "the card's certificate gives no valid key";

}  // namespace

TEST_CASE("I12: the same verdict with 1, 2, 7 and all threads, wherever a ledger is damaged")
{
    const LongExport exported;
    const auto& right = exported.lines();
    std::thread([] {}).join();  // with the first one the thread sanitizer starts one of its own
    const auto before = threads_of_this_process();
    constexpr auto cards = LongExport::cards;
    constexpr auto entries = LongExport::entries;

    SECTION("nowhere")
    {
        const auto report = exported.verify(right);
        CHECK(!report.fault);
        CHECK(report.cards == cards);
        CHECK(report.entries == entries);
    }
    SECTION("in the signature of the first, a middle, or the last entry")
    {
        for (const std::size_t at : {std::size_t{0}, std::size_t{64}, entries / 2, entries - 1}) {
            auto lines = right;
            damage_signature(lines[exported.entry(at)]);
            const auto report = exported.verify(lines);
            REQUIRE(report.fault);
            CHECK(report.fault->line == exported.entry(at) + 1);
            CHECK(report.fault->what == bad_signature);
            CHECK(report.cards == cards);
            CHECK(report.entries == at);
        }
    }
    SECTION("in the certificate of the first, a middle, or the last card")
    {
        for (const std::size_t at :
             {std::size_t{0}, std::size_t{cards / 2}, cards - std::size_t{1}}) {
            auto lines = right;
            lines[exported.card(at)].replace(38, 64, std::string(64, '0'));
            const auto report = exported.verify(lines);
            REQUIRE(report.fault);
            CHECK(report.fault->line == exported.card(at) + 1);
            CHECK(report.fault->what == bad_certificate);
            CHECK(report.cards == at);
            CHECK(report.entries == 0);
        }
    }
    SECTION("in two signatures: the first is named")
    {
        auto lines = right;
        damage_signature(lines[exported.entry(entries - 1)]);
        damage_signature(lines[exported.entry(3)]);
        CHECK(exported.verify(lines).fault->line == exported.entry(3) + 1);
    }
    SECTION("in a signature, and soon after in something that needs none")
    {
        for (const std::size_t later : {std::size_t{11}, std::size_t{100}, entries - 1}) {
            auto lines = right;
            damage_signature(lines[exported.entry(10)]);
            lines[exported.entry(later)] = "entry 00";
            const auto report = exported.verify(lines);
            CHECK(report.fault->what == bad_signature);
            CHECK(report.fault->line == exported.entry(10) + 1);
            CHECK(report.entries == 10);
        }
    }
    SECTION("in something that needs no signature, and soon after in one")
    {
        auto lines = right;
        lines[exported.entry(10)] = "entry 00";
        damage_signature(lines[exported.entry(11)]);
        const auto report = exported.verify(lines);
        CHECK(report.fault->what == "malformed entry");
        CHECK(report.entries == 10);
    }
    SECTION("in the last card's certificate, and in the line after it")
    {
        auto lines = right;
        lines[exported.card(cards - 1)].replace(38, 64, std::string(64, '0'));
        lines.resize(exported.entry(0));
        CHECK(exported.verify(lines).fault->what == bad_certificate);
    }
    // A thread that was joined may take a moment to leave the list.
    testing::wait_until("no thread is left", [&] { return threads_of_this_process() <= before; });
}
