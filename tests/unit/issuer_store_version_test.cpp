// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <filesystem>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

void set_version(const TestStore& store, int version)
{
    const auto number = std::to_string(version);
    store.run(store.conninfo().empty() ? "PRAGMA user_version = " + number
                                       : "UPDATE tallycard_store SET version = " + number);
}

// Version 1 had all but these.
void make_older(const TestStore& store)
{
    store.run("DROP TABLE outbox");
    store.run("DROP TABLE chains");
    store.run("DROP TABLE issued");
    set_version(store, 1);
}

std::int64_t issued(const TestIssuer& issuer)
{
    const auto store = issuer.store().open().value();
    return store->read().value()->issued().value();
}

}  // namespace

TEST_CASE("a store that version 1 wrote opens, with everything that is in it", "[sqlite]")
{
    TestIssuer issuer;
    issuer.close();
    const std::string old = TALLYCARD_TEST_VECTORS "/stores/store-1.db";
    std::filesystem::copy_file(old, issuer.store_file(),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(issuer.store_file(), std::filesystem::perms::owner_read |
                                                          std::filesystem::perms::owner_write);
    issuer.reopen();
    const auto head = issuer->ledger_head().value();
    REQUIRE(head.size == 4);
    REQUIRE(head.root.to_string() ==
            "1064ffbc5c2739f83f544279e429a15ff4267cbdc61b9843174a2f8dff03d06f");
    REQUIRE(issuer.sum_of_books() == 0);
    REQUIRE(issuer->evidence().value().size() == 1);
    REQUIRE(issuer->pending().value().size() == 1);
    issuer.close();
    REQUIRE(issued(issuer) == 5300 + 700);
    REQUIRE(issuer.store().open().value()->read().value()->kept_count().value() == 1);
    const auto path = issuer.folder().file("export");
    issuer.reopen();
    issuer->export_ledger(path, issuer.checkpoint_key()).value();
    REQUIRE(!verify_ledger(path, issuer.description()).value().fault);
}

TEST_CASE("an older store is migrated when it is opened, and goes on")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.run(card, Kind::cash_out, -700);
    issuer.authorise(card, Kind::top_up, 40).value();
    issuer.close();
    REQUIRE(issued(issuer) == 4340);
    make_older(issuer.store());
    REQUIRE(issued(issuer) == 4340);
    issuer.reopen();
    auto other = issuer.make_card();
    issuer.run(other, Kind::top_up, 8);
    issuer.close();
    REQUIRE(issued(issuer) == 4348);
}

TEST_CASE("a migration that fails changes nothing")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    issuer.close();
    set_version(issuer.store(), 1);  // and the table is there
    for (int i = 0; i < 2; ++i) REQUIRE(issuer.open_again().error().code == Errc::store_failed);
    set_version(issuer.store(), 3);
    issuer.reopen();
    REQUIRE(issuer.sum_of_books() == 0);
}

TEST_CASE("a store of a newer version is refused by name")
{
    TestIssuer issuer;
    issuer.close();
    set_version(issuer.store(), 4);
    const auto error = issuer.open_again().error();
    REQUIRE(error.code == Errc::store_newer);
    REQUIRE(error.message() ==
            "store: a newer version of tallycard wrote this store; use that version, or a newer "
            "one (version 4)");
    set_version(issuer.store(), 0);
    REQUIRE(issuer.open_again().error().code == Errc::file_damaged);
}

TEST_CASE("a platform stops writing to a store that a newer version has migrated meanwhile")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto payment = card.pay(1, "shop");
    set_version(issuer.store(), 4);
    REQUIRE(issuer.settle(payment).error().code == Errc::store_newer);
    set_version(issuer.store(), 3);
    REQUIRE(issuer.settle(payment).value().settled);
}
