// SPDX-License-Identifier: Apache-2.0
// One platform, and what a server and a network do to its session.
#include <catch2/catch.hpp>

#include "issuer/platform_transaction.hpp"
#include "issuer/postgres_store.hpp"
#include "postgres_proxy.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;
using Cut = PostgresProxy::Cut;

namespace {

std::string server_folder()
{
    return std::getenv("TALLYCARD_TEST_POSTGRES_FOLDER");
}

// An issuer whose platform reaches the server through a proxy.
struct CutIssuer {
    CutIssuer()
    {
        issuer.close();
        auto conninfo = issuer.store().conninfo();
        conninfo.replace(conninfo.find(server_folder()), server_folder().size(), proxy.folder());
        platform = issuer.open(open_postgres_store(conninfo).value()).value();
        issuer.reopen();
    }
    TestIssuer issuer;  // whose own session goes straight there
    PostgresProxy proxy{server_folder()};
    std::unique_ptr<Platform> platform;
};

std::string count(const TestIssuer& issuer, const std::string& table)
{
    return run_sql(issuer.store().conninfo(), "SELECT count(*) FROM " + table);
}

// A store whose transactions never get through, until they do.
class BusyStore final : public Store {
public:
    BusyStore(Store& store, int failures) : store_(&store), left_(failures) {}
    Result<std::unique_ptr<StoreTransaction>> write() override
    {
        if (left_-- > 0) return Error{.code = Errc::store_busy, .where = "test"};
        return store_->write();
    }
    Result<std::unique_ptr<StoreTransaction>> read() override { return store_->read(); }

private:
    Store* store_;
    int left_;
};

}  // namespace

TEST_CASE("a session that the server ended is made anew, and nobody notices")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    for (unsigned i = 0; i < 3; ++i) {
        run_sql(test_postgres(),
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> "
                "pg_backend_pid() AND backend_type = 'client backend'");
        issuer.run(card, Kind::top_up, 10);
        REQUIRE(issuer->standing(card.id(), std::nullopt).value().balance ==
                Balance::minor_units(10 * (i + 1)));
    }
}

TEST_CASE("a connection that is lost with the commit is in doubt, and asking again does it once")
{
    CutIssuer world;
    auto card = world.issuer.make_card();
    const auto request = world.issuer.request(card, Kind::top_up, 500);
    world.proxy.cut_next(Cut::before_commit);

    const auto lost = world.platform->authorise(request);

    REQUIRE(world.proxy.has_cut());
    REQUIRE(lost.error().code == Errc::store_unreachable);
    REQUIRE(lost.error().effect == Effect::unknown);  // nobody can tell it from the other one
    REQUIRE(count(world.issuer, "operations") == "0");
    const auto again = world.platform->authorise(request).value();
    REQUIRE(again.progress == Progress::pending);
    REQUIRE(world.issuer.reserved(AccountKind::cash, "T1") == 500);
}

TEST_CASE("a commit whose answer is lost is in doubt, and asking again answers what was done")
{
    CutIssuer world;
    auto card = world.issuer.make_card();
    const auto request = world.issuer.request(card, Kind::top_up, 500);
    world.proxy.cut_next(Cut::after_commit);

    const auto lost = world.platform->authorise(request);

    REQUIRE(world.proxy.has_cut());
    REQUIRE(lost.error().effect == Effect::unknown);
    const auto stored = world.issuer->status(request.id, std::nullopt).value();
    const auto again = world.platform->authorise(request).value();
    REQUIRE(again.first == stored.first);
    REQUIRE(count(world.issuer, "operations") == "1");

    const auto receipt = card.execute(again.first);
    world.proxy.cut_next(Cut::after_commit);
    REQUIRE(world.platform->settle(submission(receipt)).error().effect == Effect::unknown);
    const auto settled = world.platform->settle(submission(receipt)).value();
    REQUIRE(settled.settled);
    REQUIRE(settled.ledger_index == 0);
    REQUIRE(count(world.issuer, "entries") == "1");
    REQUIRE(world.issuer.balance(AccountKind::cash, "T1") == -500);
    REQUIRE(world.issuer.sum_of_books() == 0);
}

TEST_CASE("a call that others were ahead of runs again, and says so when that takes too long")
{
    TestIssuer issuer;
    issuer.close();
    const auto store = issuer.store().open().value();
    std::mutex mutex;
    int runs = 0;
    const auto work = [&](StoreTransaction& transaction) {
        ++runs;
        return transaction.put_account({.name = {AccountKind::associated, account_id("x")}});
    };
    BusyStore twice(*store, 2), forever(*store, 1'000'000);
    REQUIRE(writing(mutex, twice, work));
    REQUIRE(runs == 1);
    const auto error = writing(mutex, forever, work).error();
    REQUIRE(error.code == Errc::store_busy);
    REQUIRE(error.effect == Effect::none);
    REQUIRE(runs == 1);
}

TEST_CASE("another's turn that does not end is waited for in vain, with nothing done")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto other = issuer.store().open().value();
    const auto request = issuer.request(card, Kind::top_up, 500);
    {
        const auto turn = other->write().value();
        REQUIRE(issuer->authorise(request).error().code == Errc::file_in_use);
        REQUIRE(issuer->standing(card.id(), std::nullopt));  // who only reads does not wait
    }
    REQUIRE(issuer->authorise(request));
}

TEST_CASE("an optimistic transaction that comes second has done nothing, and is told so")
{
    TestIssuer issuer;
    issuer.close();
    const auto open = [&] {
        return postgres::open(issuer.store().conninfo(), postgres::Turns::optimistic).value();
    };
    const auto one = open(), other = open();
    const AccountName name{AccountKind::associated, account_id("x")};
    auto first = one->write().value(), second = other->write().value();
    REQUIRE(!first->account(name).value());
    REQUIRE(!second->account(name).value());
    REQUIRE(first->put_account({.name = name, .balance = 1}));
    REQUIRE(first->commit());
    const auto put = second->put_account({.name = name, .balance = 2});
    REQUIRE(put.error().code == Errc::store_busy);
    REQUIRE(put.error().message().ends_with("(SQLSTATE 40001)"));
    second.reset();
    REQUIRE(one->read().value()->account(name).value()->balance == 1);
}

TEST_CASE("a transaction in which something failed does not commit")
{
    TestIssuer issuer;
    issuer.close();
    const auto store = issuer.store().open().value();
    const AccountName name{AccountKind::associated, account_id("x")};
    const auto transaction = store->write().value();
    REQUIRE(transaction->put_account({.name = name}));
    REQUIRE(transaction->put_account({.name = name, .balance = 1, .reserved = 2}).error().code ==
            Errc::conflict);
    REQUIRE(!transaction->commit());
    REQUIRE(!store->read().value()->account(name).value());
}

TEST_CASE("a connection that holds a password is refused, and the password is told to nobody")
{
    for (const std::string place :
         {"postgresql://user:hunter2@localhost/x", "host=localhost password=hunter2",
          "postgresql://localhost/x?sslpassword=hunter2", "postgresql://user:hunter2@[/x"}) {
        for (const auto& answer : {open_postgres_store(place), create_postgres_store(place)}) {
            REQUIRE(answer.error().code == Errc::malformed);
            REQUIRE(answer.error().message().find("hunter2") == std::string::npos);
        }
        REQUIRE(explain_postgres(place).find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a server that is not there, and a database without our tables, are told apart")
{
    const TemporaryFolder folder;
    const auto nowhere = "dbname=postgres host=" + folder.path().string();
    REQUIRE(open_postgres_store(nowhere).error().code == Errc::store_unreachable);
    REQUIRE(explain_postgres(nowhere).find(folder.path().string()) != std::string::npos);
    const auto missing = test_postgres() + " options=-csearch_path=nowhere";
    REQUIRE(open_postgres_store(missing).error().code == Errc::file_missing);
    REQUIRE(explain_postgres(missing).empty());

    const TestStore store("");
    REQUIRE(store.create());
    REQUIRE(store.create().error().code == Errc::file_exists);
}

TEST_CASE("a role that may not lock goes on side by side with the others")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.close();
    const auto& conninfo = issuer.store().conninfo();
    const auto schema = conninfo.substr(conninfo.rfind('=') + 1);
    run_sql(conninfo, "CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA " + schema +
                          " TO clerk; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN "
                          "SCHEMA " +
                          schema +
                          " TO clerk; REVOKE UPDATE, DELETE ON tallycard_store FROM clerk");
    const auto clerk = open_postgres_store(conninfo + " user=clerk").value();
    const auto owner = issuer.store().open().value();
    const auto turn = owner->write().value();
    const auto beside = clerk->write().value();
    REQUIRE(beside->card(card.id()).value());
    REQUIRE(beside->put_account({.name = {AccountKind::associated, account_id("x")}}));
    REQUIRE(beside->commit());
}
