// SPDX-License-Identifier: Apache-2.0
#include <tallycard/operation_journal.hpp>

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const auto shop = test::account_id("SHOP-1");

JournalIntent intent(std::uint32_t id, Kind kind = Kind::payment, std::int64_t amount = -12'30)
{
    JournalIntent made{.id = test::id_of<OperationId>(id),
                       .card_id = test::id_of<CardId>(1),
                       .kind = kind,
                       .amount = Amount::minor_units(amount)};
    if (moves_value(kind)) made.account = shop;
    return made;
}

std::string text_of(const std::string& path)
{
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& path, const std::string& text)
{
    std::ofstream(path) << text;
}

JournalStage stage_of(const OperationJournal& journal, std::uint32_t id)
{
    const auto* entry = journal.find(test::id_of<OperationId>(id));
    REQUIRE(entry != nullptr);
    return entry->stage;
}

// A journal with an intent of each kind of content, and an end.
std::string written_journal(const std::string& path)
{
    const auto journal = OperationJournal::open(path).value();
    REQUIRE(journal->intend(intent(1), JournalSent{.sequence = 4, .first = std::nullopt}));
    auto second_half = intent(2, Kind::transfer_in, 5'00);
    second_half.after = test::id_of<OperationId>(1);
    REQUIRE(journal->intend(second_half));
    auto limits = intent(3, Kind::set_limits, 0);
    limits.parameter = Limits{.maximum_balance = Balance::minor_units(1),
                              .maximum_amount = Balance::minor_units(2),
                              .pin_above = Balance::minor_units(3),
                              .offline_payments = 4,
                              .offline_total = Balance::minor_units(5)};
    REQUIRE(journal->intend(limits));
    auto key = intent(4, Kind::replace_operation_key, 0);
    key.parameter = PublicKey();
    REQUIRE(journal->intend(key));
    REQUIRE(journal->not_applied(test::id_of<OperationId>(4)));
    return text_of(path);
}

}  // namespace

TEST_CASE("an intent that no operation can have is refused, and the journal stays as it was",
          "[terminal]")
{
    test::TemporaryFolder folder;
    const auto path = folder.file("journal");
    const auto text = written_journal(path);
    auto with_account = intent(9, Kind::block, 0);
    with_account.account = shop;
    auto without_account = intent(9), without_till = intent(9, Kind::top_up, 1);
    without_account.account.reset();
    without_till.account.reset();
    {
        const auto journal = OperationJournal::open(path).value();
        for (const auto& wrong :
             {intent(9, Kind::top_up, 0), intent(9, Kind::top_up, -1), intent(9, Kind::payment, 1),
              intent(9, Kind::block, 1), with_account, without_account, without_till}) {
            CHECK(journal->intend(wrong).error().code == Errc::malformed);
            CHECK(journal->find(wrong.id) == nullptr);
        }
    }
    CHECK(text_of(path) == text);
    CHECK(OperationJournal::open(path));
}

TEST_CASE("a journal reads back what was written before the program ended", "[terminal]")
{
    test::TemporaryFolder folder;
    const auto path = folder.file("journal");
    const auto text = written_journal(path);
    CHECK(text.starts_with("tallycard-journal 1\n"));
    CHECK(std::ranges::count(text, '\n') == 7);
    const auto mode = std::filesystem::status(path).permissions();
    CHECK((mode & std::filesystem::perms::mask) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));

    const auto journal = OperationJournal::open(path).value();
    CHECK(OperationJournal::open(path).error().code == Errc::file_in_use);
    const auto& entries = journal->entries();
    REQUIRE(entries.size() == 4);
    CHECK(entries[0].intent == intent(1));
    CHECK(entries[0].sent == JournalSent{.sequence = 4, .first = std::nullopt});
    CHECK(entries[0].stage == JournalStage::sent);
    CHECK(entries[1].intent.after == test::id_of<OperationId>(1));
    CHECK(entries[1].stage == JournalStage::intended);
    CHECK(std::get<Limits>(entries[2].intent.parameter).offline_payments == 4);
    CHECK(std::holds_alternative<PublicKey>(entries[3].intent.parameter));
    CHECK_FALSE(entries[3].is_open());
}

TEST_CASE("an id of the journal stands for one operation, which happens or does not", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto paid = [&](std::uint32_t id) {
        return std::get<Applied>(world.terminal.pay(*seat, test::id_of<OperationId>(id),
                                                    Amount::minor_units(12'30), shop));
    };
    const auto journal = OperationJournal::open(world.issuer.folder().file("journal")).value();
    const auto id = test::id_of<OperationId>(7);
    const auto one = paid(7), other = paid(8);
    REQUIRE(journal->intend(intent(7)));
    REQUIRE(journal->intend(intent(7)));
    CHECK(journal->intend(intent(7, Kind::payment, -1)).error().code == Errc::conflict);
    REQUIRE(journal->not_applied(id));
    REQUIRE(journal->not_applied(id));
    CHECK(journal->acknowledged(id).error().code == Errc::conflict);

    REQUIRE(journal->intend(intent(7)));
    CHECK(stage_of(*journal, 7) == JournalStage::intended);
    REQUIRE(journal->not_applied(id));
    REQUIRE(journal->executed(id, one.operation, one.receipt));
    CHECK(stage_of(*journal, 7) == JournalStage::executed);
    CHECK(journal->executed(id, other.operation, other.receipt).error().code == Errc::conflict);
    CHECK(journal->not_applied(id).error().code == Errc::conflict);
    REQUIRE(journal->sent(id, {.sequence = 1, .first = std::nullopt}));
    CHECK(stage_of(*journal, 7) == JournalStage::executed);
    REQUIRE(journal->acknowledged(id));
    CHECK(journal->find(id)->receipt == one.receipt);
}

TEST_CASE("what a loss of power left of the last lines is dropped", "[terminal]")
{
    test::TemporaryFolder folder;
    const auto path = folder.file("journal");
    const auto whole = written_journal(path);
    const auto last = whole.rfind('\n', whole.size() - 2) + 1;
    const auto line_size = whole.size() - last;
    for (std::size_t kept = 0; kept < line_size; ++kept) {
        for (const std::size_t zeros : {std::size_t{0}, line_size - kept, std::size_t{512}}) {
            CAPTURE(kept, zeros);
            write(path, whole.substr(0, last + kept) + std::string(zeros, '\0'));
            const auto journal = OperationJournal::open(path);
            REQUIRE(journal);
            CHECK(stage_of(**journal, 4) == JournalStage::intended);
            CHECK(text_of(path) == whole.substr(0, last));
            REQUIRE((*journal)->not_applied(test::id_of<OperationId>(4)));
            CHECK(text_of(path) == whole);
        }
    }
}

TEST_CASE("a journal whose beginning was cut short begins anew", "[terminal]")
{
    test::TemporaryFolder folder;
    const auto path = folder.file("journal");
    const std::string header = "tallycard-journal 1\n";
    for (std::size_t kept = 0; kept < header.size(); ++kept) {
        write(path, header.substr(0, kept));
        REQUIRE(OperationJournal::open(path));
        CHECK(text_of(path) == header);
    }
    write(path, std::string(header.size(), '\0'));
    REQUIRE(OperationJournal::open(path));
    CHECK(text_of(path) == header);
}

TEST_CASE("any other damage of a journal is named by its line, and changes nothing", "[terminal]")
{
    test::TemporaryFolder folder;
    const auto path = folder.file("journal");
    const auto whole = written_journal(path);
    std::size_t line = 1;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto text = whole;
        text[at] = static_cast<char>(text[at] ^ 1);
        if (at > 0 && whole[at - 1] == '\n') ++line;
        const bool is_last_end = at + 1 == whole.size();
        CAPTURE(at, line);
        write(path, text);
        const auto journal = OperationJournal::open(path);
        REQUIRE(journal.has_value() == is_last_end);  // then the last line is cut short
        if (is_last_end) continue;
        CHECK(journal.error().detail == line);
        CHECK(journal.error().code == (line == 1 ? Errc::file_malformed : Errc::file_damaged));
        CHECK(text_of(path) == text);
    }
    write(path, "something else entirely, and long enough to be it\n");
    CHECK(OperationJournal::open(path).error().code == Errc::file_malformed);
    const auto first = whole.find('\n') + 1, second = whole.find('\n', first) + 1;
    write(path, whole.substr(0, first) + whole.substr(second));
    CHECK(OperationJournal::open(path).error().detail == 2);
    write(path, whole + whole.substr(first, second - first));
    CHECK(OperationJournal::open(path).error().code == Errc::file_damaged);
}

TEST_CASE("compacting forgets old entries that have ended, and nothing that is open", "[terminal]")
{
    test::TemporaryFolder folder;
    const auto path = folder.file("journal");
    {
        const auto journal = OperationJournal::open(path).value();
        for (std::uint32_t id = 1; id <= 6; ++id) REQUIRE(journal->intend(intent(id)));
        for (const std::uint32_t id : {1u, 2u, 4u, 5u})
            REQUIRE(journal->not_applied(test::id_of<OperationId>(id)));
        auto second_half = intent(7, Kind::transfer_in, 5'00);
        second_half.after = test::id_of<OperationId>(1);
        REQUIRE(journal->intend(second_half));
        REQUIRE(journal->compact(1));
        CHECK(OperationJournal::open(path).error().code == Errc::file_in_use);
        REQUIRE(journal->intend(intent(8)));
    }
    const auto journal = OperationJournal::open(path).value();
    std::vector<OperationId> ids;
    for (const auto& entry : journal->entries()) ids.push_back(entry.intent.id);
    std::vector<OperationId> expected;
    for (const std::uint32_t id : {1u, 3u, 5u, 6u, 7u, 8u})
        expected.push_back(test::id_of<OperationId>(id));
    CHECK(ids == expected);
    CHECK_FALSE(std::filesystem::exists(path + ".new"));
}
