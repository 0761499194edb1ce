// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>
#include <utility>

#include "crypto/ed25519.hpp"
#include "issuer/files.hpp"
#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

// Does something else before it signs for the first time: an export is being written then.
class BusySigner final : public NoteSigner {
public:
    explicit BusySigner(std::function<void()> meanwhile) : meanwhile_(std::move(meanwhile)) {}
    PublicKey public_key() const override { return ed25519::public_key(seed(3)); }
    Result<Signature> sign(std::string_view text) override
    {
        if (meanwhile_) std::exchange(meanwhile_, nullptr)();
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
        return ed25519::sign(seed(3), {}, {bytes, text.size()});
    }

private:
    std::function<void()> meanwhile_;
};

CheckpointKey key_that_first(std::function<void()> meanwhile)
{
    return CheckpointKey(std::make_unique<BusySigner>(std::move(meanwhile)));
}

}  // namespace

TEST_CASE("an export is of one moment, and other processes settle while it is written")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto path = issuer.folder().file("export");
    const auto other = issuer.open_again().value();
    std::string newer;
    const auto key = key_that_first([&] {
        const auto payment = card.pay(1, "shop");
        REQUIRE(other->settle(payment).value().settled);
        newer = other->checkpoint(issuer.checkpoint_key()).value();
    });
    const auto made = issuer->export_ledger(path, key).value();

    CHECK(made.head.size == 1);
    const auto report = verify_ledger(path, issuer.description()).value();
    REQUIRE(!report.fault);
    CHECK(report.entries == 1);
    CHECK(report.on_cards == 1000);
    // The checkpoint that was made meanwhile is the newest, in the store and outside.
    CHECK(files::read(issuer.checkpoint_file(), 1000).value() == newer);
    CHECK(issuer.store().open().value()->read().value()->checkpoint().value() == newer);

    CHECK(issuer->export_ledger(path, issuer.checkpoint_key()).value().head.size == 2);
    CHECK(!verify_ledger(path, issuer.description()).value().fault);
}

TEST_CASE("an export makes the newest checkpoint, in the store and outside")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    const auto path = issuer.folder().file("export");
    const auto first = issuer->checkpoint(issuer.checkpoint_key()).value();
    issuer.run(card, Kind::top_up, 1);
    const auto made = issuer->export_ledger(path, issuer.checkpoint_key()).value();
    const auto note = made.sign(issuer.checkpoint_key()).value();
    CHECK(made.head.size == 2);
    CHECK(files::read(issuer.checkpoint_file(), 1000).value() == note);
    CHECK(issuer.store().open().value()->read().value()->checkpoint().value() == note);
    CHECK(note != first);
}

TEST_CASE("I16: an export of a ledger that is no longer there is not placed", "[sqlite]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 1000);
    issuer.run(card, Kind::top_up, 1000);
    const auto path = issuer.folder().file("export");
    const auto key = key_that_first([&] {
        issuer.store().run("DELETE FROM journal WHERE idx = 1; DELETE FROM entries WHERE idx = 1");
    });
    CHECK(issuer->export_ledger(path, key).error().code == Errc::ledger_behind);
    CHECK(!std::filesystem::exists(path));
    CHECK(!std::filesystem::exists(issuer.checkpoint_file()));
}
