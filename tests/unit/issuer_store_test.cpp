// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <thread>

#include "issuer/files.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// What must hold whenever a platform has started.
void require_invariants(TestIssuer& issuer)
{
    REQUIRE(issuer.sum_of_books() == 0);
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto report = verify_ledger(path, issuer.description()).value();
    if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
    REQUIRE(!report.fault);
}

// Runs `work` in a process of its own, which reports each thing done by calling its argument, and
// kills it after that many. The answer is how many it did report.
template <class Work>
std::uint64_t run_and_kill(std::uint64_t reports, Work&& work)
{
    std::array<int, 2> pipe{};
    REQUIRE(::pipe(pipe.data()) == 0);
    const auto child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        work([&] { static_cast<void>(::write(pipe[1], "x", 1) == 1); });
        ::_exit(0);
    }
    ::close(pipe[1]);
    std::uint64_t seen = 0;
    for (char byte = 0; ::read(pipe[0], &byte, 1) == 1;)
        if (++seen == reports) ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    ::close(pipe[0]);
    return seen;
}

}  // namespace

TEST_CASE("I3: the books sum up to zero, and the journal says why")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.settle(card.pay(1230, "shop")).value();
    issuer.run(card, Kind::block);
    issuer.run(card, Kind::unblock);
    issuer.run(card, Kind::cash_out, -700);
    REQUIRE(issuer.sum_of_books() == 0);
    issuer.close();

    const auto store = issuer.store().open().value();
    const auto journal = store->read().value();
    const auto posting = [&](std::uint64_t index) { return journal->posting(index).value(); };
    REQUIRE(posting(0)->debit.to_string() == "cash/T1");
    REQUIRE(posting(0)->credit.to_string() == "card/" + card.id().to_string());
    REQUIRE(posting(1)->credit.to_string() == "account/shop");
    REQUIRE(posting(1)->amount == Amount::minor_units(1230));
    REQUIRE(!posting(2));
    REQUIRE(!posting(3));
    REQUIRE(posting(4)->debit.to_string() == "card/" + card.id().to_string());
    REQUIRE(posting(4)->credit.to_string() == "cash/T1");
}

TEST_CASE("a store is created once, readable by its owner, and opened where it is", "[sqlite]")
{
    const TemporaryFolder folder;
    const auto path = folder.file("store");
    REQUIRE(open_sqlite_store(path).error().code == Errc::file_missing);
    REQUIRE(create_sqlite_store(path));
    REQUIRE(create_sqlite_store(path).error().code == Errc::file_exists);
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    REQUIRE((status.st_mode & 0777) == 0600);
    REQUIRE(open_sqlite_store(path));
    REQUIRE(create_sqlite_store(folder.file("none/store")).error().code == Errc::file_missing);
}

TEST_CASE("a file that is no store is damaged", "[sqlite]")
{
    const TemporaryFolder folder;
    const auto path = folder.file("store");
    for (const std::string content : {"", "not a store", "SQLite format 3"}) {
        std::ofstream(path, std::ios::binary) << content;
        REQUIRE(open_sqlite_store(path).error().code == Errc::file_damaged);
    }
}

TEST_CASE("a store that another issuer's platform made is not opened")
{
    TestIssuer issuer, other;
    issuer.close();
    auto description = issuer.description();
    description.origin = "other.test";
    PlatformSettings settings;
    settings.issuer = description;
    const auto answer = Platform::open(issuer.store().open().value(), settings);
    REQUIRE(answer.error().code == Errc::conflict);
}

TEST_CASE("a damaged page of the store is noticed, when it is opened or when it matters",
          "[sqlite]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    for (int i = 0; i < 40; ++i) issuer.settle(card.pay(1, "shop")).value();
    issuer.close();
    const auto good = files::read(issuer.store_file(), 10 << 20).value();
    std::size_t pages = 0, noticed = 0;
    for (std::size_t page = 0; page * 4096 < good.size(); ++page, ++pages) {
        auto bad = good;
        for (std::size_t i = 0; i < 64; ++i) bad[page * 4096 + i] = static_cast<char>(i * 37);
        std::ofstream(issuer.store_file(), std::ios::binary) << bad;
        const auto opened = issuer.open_again();
        if (!opened && opened.error().code == Errc::file_damaged) ++noticed;
    }
    REQUIRE(pages > 20);
    REQUIRE(noticed == pages);
    std::ofstream(issuer.store_file(), std::ios::binary) << good;
    issuer.reopen();
    require_invariants(issuer);
}

TEST_CASE("whose cash moves is in the signed operation: the store cannot say otherwise")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto first = issuer.authorise(card, Kind::top_up, 5000).value().first;
    issuer.close();
    issuer.store().run("UPDATE operations SET terminal = 'T2'");
    issuer.reopen();
    issuer->settle(submission(card.execute(first))).value();
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -5000);
    issuer.close();
    issuer.store().run("UPDATE accounts SET id = 'T2' WHERE id = 'T1'");
    issuer.reopen();
    const auto path = issuer.folder().file("export");
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto report = verify_ledger(path, issuer.description()).value();
    REQUIRE(report.fault->what == std::string("an account that the entries name is missing"));
}

TEST_CASE("the sum of the books is right where its parts leave 64 bits")
{
    TestIssuer issuer;
    issuer.close();
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const auto store = issuer.store().open().value();
    const auto books = store->write().value();
    const auto put = [&](AccountKind kind, const char* name, std::int64_t balance) {
        books->put_account({.name = {kind, account_id(name)}, .balance = balance}).value();
    };
    put(AccountKind::cash, "a", -most);
    put(AccountKind::cash, "b", -most);
    REQUIRE(books->sum_of_books().error().code == Errc::file_damaged);
    REQUIRE(books->issued().value() == most);
    put(AccountKind::associated, "c", most);
    put(AccountKind::associated, "d", most - 3);
    REQUIRE(books->sum_of_books().value() == -3);
    put(AccountKind::associated, "e", 3);
    REQUIRE(books->sum_of_books().value() == 0);
    put(AccountKind::cash, "a", 0);
    put(AccountKind::cash, "b", 4 - most);
    put(AccountKind::cash, "f", 9);
    REQUIRE(books->issued().value() == most - 4);
}

TEST_CASE("a transaction that is not committed has done nothing")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.close();
    {
        const auto store = issuer.store().open().value();
        const auto transaction = store->write().value();
        auto row = transaction->card(card.id()).value().value();
        row.denied = true;
        transaction->update_card(row).value();
        transaction->put_account({.name = {AccountKind::cash, account_id("x")}}).value();
    }
    issuer.reopen();
    REQUIRE(!issuer->standing(card.id(), std::nullopt).value().denied);
    REQUIRE(issuer->accounts().value().size() == 1);
}

TEST_CASE("I15: a platform killed at any moment starts again with everything it answered")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1'000'000);
    std::vector<Submission> payments;
    for (int i = 0; i < 400; ++i) payments.push_back(card.pay(1, "shop"));
    issuer.close();

    std::uint64_t size = 1, killed = 0;
    for (std::uint64_t round = 1; round <= 12; ++round) {
        const auto shown = run_and_kill(round, [&](auto&& report) {
            const auto platform = issuer.open_again();
            if (!platform) return;
            for (std::size_t i = size - 1; i < payments.size(); ++i)
                if ((*platform)->settle(payments[i])) report();
        });
        issuer.reopen();
        const auto now = issuer->ledger_head().value().size;
        REQUIRE(shown >= round);
        REQUIRE(now >= size + shown);
        REQUIRE(now <= size + shown + 1);
        REQUIRE(issuer.balance(AccountKind::associated, "shop") ==
                static_cast<std::int64_t>(now) - 1);
        require_invariants(issuer);
        if (now < payments.size()) ++killed;
        size = now;
        issuer.close();
    }
    REQUIRE(killed == 12);
    issuer.reopen();
    for (const auto& payment : payments) REQUIRE(issuer.settle(payment).value().settled);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 401);
    require_invariants(issuer);
}

TEST_CASE("two processes settle into one store, and every receipt settles once")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    auto other = issuer.make_card();
    issuer.run(card, Kind::top_up, 1'000);
    issuer.run(other, Kind::top_up, 1'000);
    std::vector<Submission> payments;
    for (int i = 0; i < 30; ++i) payments.push_back((i % 2 == 0 ? card : other).pay(1, "shop"));
    issuer.close();
    const auto settle_all_of_them = [&] {
        const auto platform = issuer.open_again();
        if (!platform) return 1;
        for (const auto& payment : payments)
            if (!(*platform)->settle(payment)) return 2;
        return 0;
    };
    std::vector<pid_t> children;
    for (int i = 0; i < 2; ++i) {
        children.push_back(::fork());
        REQUIRE(children.back() >= 0);
        if (children.back() == 0) ::_exit(settle_all_of_them());
    }
    for (const auto child : children) {
        int status = -1;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(status == 0);
    }
    issuer.reopen();
    REQUIRE(issuer->ledger_head().value().size == 32);
    REQUIRE(issuer.balance(AccountKind::associated, "shop") == 30);
    require_invariants(issuer);
}

TEST_CASE("a platform is thread-safe")
{
    TestIssuer issuer;
    std::vector<SimulatedCard> cards;
    for (int i = 0; i < 4; ++i) cards.push_back(issuer.make_card());
    std::vector<OperationRequest> requests;
    for (const auto& card : cards) requests.push_back(issuer.request(card, Kind::top_up, 10));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < cards.size(); ++i)
        threads.emplace_back([&, i] {
            const auto status = issuer->authorise(requests[i]).value();
            issuer->settle(submission(cards[i].execute(status.first))).value();
        });
    for (auto& thread : threads) thread.join();
    REQUIRE(issuer->ledger_head().value().size == 4);
    REQUIRE(issuer.balance(AccountKind::cash, "T1") == -40);
}
