// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <string>

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

}  // namespace

TEST_CASE("a store of an edition that was never released is refused by name, and is left as it is")
{
    TestIssuer issuer;
    issuer.close();
    for (const int version : {1, 2, 3, 4}) {
        set_version(issuer.store(), version);
        const auto error = issuer.open_again().error();
        REQUIRE(error.code == Errc::store_older);
        REQUIRE(error.message() ==
                "store: an edition of tallycard that was never released wrote this store, and it "
                "is not read any more; begin with a new store, and issue the cards anew (version " +
                    std::to_string(version) + ")");
    }
    set_version(issuer.store(), 5);
    issuer.reopen();
}

TEST_CASE("a store of a newer version is refused by name")
{
    TestIssuer issuer;
    issuer.close();
    set_version(issuer.store(), 6);
    const auto error = issuer.open_again().error();
    REQUIRE(error.code == Errc::store_newer);
    REQUIRE(error.message() ==
            "store: a newer version of tallycard wrote this store; use that version, or a newer "
            "one (version 6)");
    set_version(issuer.store(), 0);
    REQUIRE(issuer.open_again().error().code == Errc::file_damaged);
}

TEST_CASE("a platform stops writing to a store that a newer version has replaced meanwhile")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 5000);
    const auto payment = card.pay(1, "shop");
    set_version(issuer.store(), 6);
    REQUIRE(issuer.settle(payment).error().code == Errc::store_newer);
    set_version(issuer.store(), 5);
    REQUIRE(issuer.settle(payment).value().settled);
}
