// SPDX-License-Identifier: Apache-2.0
#include <tallycard/payment_journal.hpp>

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "support/terminal_world.hpp"

using namespace tallycard;
using namespace testing;

namespace {

const PaymentIntent intent{test::id_of<OperationId>(7), test::id_of<CardId>(1),
                           Amount::minor_units(12'30), test::account_id("SHOP-1")};

std::string text_of(const std::string& path)
{
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& path, const std::string& text)
{
    std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("a payment journal reads back what was written before the program ended", "[terminal]")
{
    TerminalWorld world;
    auto seat = world.funded_seat();
    const auto path = world.issuer.folder().file("journal");
    const auto outcome = world.terminal.pay(*seat, intent.id, intent.amount, intent.payee);
    const auto& paid = std::get<Applied>(outcome);
    {
        const auto journal = PaymentJournal::open(path).value();
        CHECK(PaymentJournal::open(path).error().code == Errc::file_in_use);
        REQUIRE(journal->intend(intent));
        REQUIRE(journal->intend(intent));
        auto other = intent;
        other.amount = Amount::minor_units(1);
        CHECK(journal->intend(other).error().code == Errc::conflict);
        REQUIRE(journal->paid(intent.id, paid.operation, paid.receipt));
    }
    const auto mode = std::filesystem::status(path).permissions();
    CHECK((mode & std::filesystem::perms::mask) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    const auto journal = PaymentJournal::open(path).value();
    REQUIRE(journal->payments().size() == 1);
    const auto& payment = journal->payments().front();
    CHECK(payment.intent == intent);
    CHECK(payment.operation == paid.operation);
    CHECK(payment.receipt == paid.receipt);
    CHECK_FALSE(payment.closed);
    REQUIRE(journal->close(intent.id));
    CHECK(journal->payments().front().closed);
    REQUIRE(journal->paid(intent.id, paid.operation, paid.receipt));
    CHECK_FALSE(journal->payments().front().closed);
}

TEST_CASE("a last line cut short is dropped, and any other damage is named by its line",
          "[terminal]")
{
    test::TemporaryFolder folder;
    const auto path = folder.file("journal");
    {
        REQUIRE(PaymentJournal::open(path).value()->intend(intent));
    }
    const auto whole = text_of(path);
    int cut = 0;
    for (std::size_t size = 0; size < whole.size(); ++size, ++cut) {
        write(path, whole + whole.substr(0, size));
        const auto journal = PaymentJournal::open(path);
        REQUIRE(journal);
        CHECK((*journal)->payments().size() == 1);
        CHECK(text_of(path) == whole);
    }
    CHECK(cut > 40);
    for (const auto* bad : {"nonsense\n", "intent 00 00 5 X\n", "closed\n", "paid\n", "\n"}) {
        write(path, whole + bad);
        const auto journal = PaymentJournal::open(path);
        REQUIRE_FALSE(journal);
        CHECK(journal.error().code == Errc::file_damaged);
        CHECK(journal.error().detail == whole.size());
    }
}
