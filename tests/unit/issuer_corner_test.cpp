// SPDX-License-Identifier: Apache-2.0
// The platform where numbers end, where its store contradicts itself, and where a signer fails.
#include <limits>

#include <catch2/catch.hpp>

#include "issuer/books.hpp"
#include "issuer/settlement.hpp"
#include "support/test_issuer.hpp"
#include "support/wrapped_store.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

constexpr auto largest = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t last_sequence = 0xFFFFFFFF;

struct Lies {
    bool no_entry = false, no_index = false;
    std::optional<ExecutedOperation> kept_for;
    std::optional<Result<std::optional<AccountRow>>> account;
};
Lies lies;

class LyingTransaction final : public WrappedTransaction {
public:
    using WrappedTransaction::WrappedTransaction, WrappedTransaction::kept;
    Result<std::optional<Entry>> entry(std::uint64_t index) override
    {
        if (lies.no_entry) return std::optional<Entry>();
        return below().entry(index);
    }
    Result<std::optional<std::uint64_t>> record_index(const CardId& id, std::uint32_t at) override
    {
        if (lies.no_index) return std::optional<std::uint64_t>();
        return below().record_index(id, at);
    }
    Result<std::optional<AccountRow>> account(const AccountName& name) override
    {
        return lies.account ? *lies.account : below().account(name);
    }
    Result<std::vector<KeptRow>> kept(const CardId& id, std::uint32_t at) override
    {
        auto rows = below().kept(id, at);
        if (lies.kept_for && rows)
            for (auto& row : *rows) row.executed = *lies.kept_for;
        return rows;
    }
};

// The issuer's platform again, over a store that lies.
std::unique_ptr<Platform> open_lying(TestIssuer& issuer)
{
    issuer.close();
    lies = {};
    return issuer
        .open(std::make_unique<WrappedStore<LyingTransaction>>(
            issuer.store().open().value(), []() -> std::optional<Error> { return std::nullopt; }))
        .value();
}

template <class Change>
void change_store(TestIssuer& issuer, Change&& change)
{
    issuer.close();
    {
        const auto store = issuer.store().open().value();
        const auto transaction = store->write().value();
        change(*transaction);
        transaction->commit().value();
    }
    issuer.reopen();
}

void put(StoreTransaction& store, const AccountName& name, std::int64_t balance,
         std::int64_t reserved = 0)
{
    store.put_account({.name = name, .balance = balance, .reserved = reserved}).value();
}

Operation cash_operation(Kind kind, std::int64_t units)
{
    return {.kind = kind,
            .card_id = id_of<CardId>(1),
            .sequence = 1,
            .amount = Amount::minor_units(units),
            .unit = Unit::from_code(978).value(),
            .nonce = {},
            .account = account_id("T1"),
            .parameter = {}};
}

class FlakySigner final : public OperationSigner {
public:
    PublicKey public_key() const override { return signer_.public_key(); }
    Result<Signature> sign(const Operation& operation) override
    {
        if (fails) return failure;
        return signer_.sign(operation);
    }
    Result<Signature> sign(const AccountOrder& order,
                           const std::optional<Signature>& owner) override
    {
        if (fails) return failure;
        return signer_.sign(order, owner);
    }
    Result<Signature> sign(const Gap& gap) override
    {
        if (fails) return failure;
        return signer_.sign(gap);
    }
    bool fails = false;

private:
    static constexpr Error failure{.code = Errc::store_failed, .where = "signer"};
    SoftwareOperationSigner signer_{seed(1)};
};

}  // namespace

TEST_CASE("a ledger that lost an entry is damaged, and settles nothing anew", "[issuer][I11]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto wanted = issuer.request(card, Kind::top_up, 500);
    const auto receipt = card.execute(issuer->authorise(wanted).value().first);
    issuer->settle(submission(receipt)).value();
    const auto platform = open_lying(issuer);

    lies.no_entry = true;
    REQUIRE(platform->authorise(wanted).error().code == Errc::file_damaged);
    REQUIRE(platform->status(wanted.id, std::nullopt).error().code == Errc::file_damaged);
    REQUIRE(platform->settle(submission(receipt)).error().code == Errc::file_damaged);
    lies = {.no_entry = false, .no_index = true, .kept_for = {}, .account = {}};
    REQUIRE(platform->settle(submission(receipt)).error().code == Errc::evidence);
    REQUIRE(platform->ledger_head().value().size == 1);
}

TEST_CASE("a kept result without its operation is damage, and nothing of it settles", "[issuer]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    const auto first = card.pay(1, "shop");
    const auto second = card.pay(2, "shop");
    REQUIRE(!issuer.settle(second).value().settled);
    const auto platform = open_lying(issuer);
    lies.kept_for = first.executed;
    REQUIRE(platform->settle(first).error().code == Errc::file_damaged);
    REQUIRE(platform->standing(card.id(), std::nullopt).value().settled == 1);
    lies = {};
    REQUIRE(platform->settle(first).value().settled);
    REQUIRE(platform->standing(card.id(), std::nullopt).value().settled == 3);
}

TEST_CASE("nothing is signed or reserved while the signer fails", "[issuer]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    const auto wanted = issuer.request(card, Kind::top_up, 500);
    issuer.close();
    const auto signer = std::make_shared<FlakySigner>();
    PlatformSettings settings;
    settings.issuer = issuer.description();
    settings.signers = {signer};
    const auto platform = Platform::open(issuer.store().open().value(), settings).value();

    const auto accounts = platform->accounts().value().size();
    signer->fails = true;
    REQUIRE(platform->authorise(wanted).error().where == std::string_view("signer"));
    REQUIRE(platform->accounts().value().size() == accounts);
    REQUIRE(platform->pending().value().empty());
    signer->fails = false;
    platform->authorise(wanted).value();
    signer->fails = true;
    REQUIRE(platform->void_pending(card.id()).error().where == std::string_view("signer"));
    REQUIRE(platform->pending().value().size() == 1);
    signer->fails = false;
    platform->void_pending(card.id()).value();
    auto other = issuer.request(card, Kind::top_up, 1);
    settings.signers = {std::make_shared<SoftwareOperationSigner>(seed(4))};
    issuer.reopen();
    auto late = issuer.make_card();
    issuer.close();
    const auto keyless = Platform::open(issuer.store().open().value(), settings).value();
    other.card_id = late.id();
    REQUIRE(keyless->authorise(other).error().code == Errc::file_missing);
}

TEST_CASE("after the last sequence of a card nothing is signed for it", "[issuer]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    change_store(issuer, [&](StoreTransaction& store) {
        auto row = store.card(card.id()).value().value();
        row.settled = last_sequence - 1;
        store.update_card(row).value();
    });
    const auto first = issuer.authorise(card, Kind::top_up, 500).value().first;
    REQUIRE(first.operation.sequence == last_sequence);
    REQUIRE(issuer->settle(submission(card.execute(first))).value().settled);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == last_sequence);
    REQUIRE(issuer.authorise(card, Kind::top_up, 1).error().code == Errc::card_state);
    REQUIRE(issuer->void_pending(card.id()).error().code == Errc::unknown_operation);
}

TEST_CASE("a request for a transfer is one, valid, and of a known card", "[issuer]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.open_account(account_id("shop")).value();
    const auto good = card.request(Kind::transfer_in, 1, "shop");
    auto bad = good;
    bad.operation.amount = {};
    REQUIRE(issuer->authorise_transfer(issuer.transfer_request(bad)).error().code ==
            Errc::malformed);
    bad.operation = card.make(Kind::top_up, 1, "T1");
    REQUIRE(issuer->authorise_transfer(issuer.transfer_request(bad)).error().code ==
            Errc::malformed);
    bad = good;
    bad.operation.card_id = id_of<CardId>(77);
    REQUIRE(issuer->authorise_transfer(issuer.transfer_request(bad)).error().code ==
            Errc::unknown_card);
    REQUIRE(issuer->void_pending(id_of<CardId>(77)).error().code == Errc::unknown_card);
}

TEST_CASE("accounts end at 2^63−1 either way, and nothing wraps", "[issuer][I8]")
{
    TestIssuer issuer;
    issuer.close();
    const auto store = issuer.store().open().value();
    const auto transaction = store->write().value();
    Books books(*transaction);
    const auto cash = cash_account(account_id("T1"));

    REQUIRE(
        transaction->put_account({.name = cash, .balance = -largest, .reserved = 2}).error().code ==
        Errc::bad_amount);
    put(*transaction, cash, -largest, 0);
    REQUIRE(books.reserve(cash_operation(Kind::top_up, 1)).error().code == Errc::bad_amount);
    REQUIRE(books.check(*posting_of(cash_operation(Kind::top_up, 1))).error().code ==
            Errc::bad_amount);
    REQUIRE(books.post(*posting_of(cash_operation(Kind::top_up, 1))).error().code ==
            Errc::bad_amount);
    put(*transaction, cash, largest, largest);
    REQUIRE(books.reserve(cash_operation(Kind::top_up, 1)).error().code == Errc::bad_amount);
    REQUIRE(books.check(*posting_of(cash_operation(Kind::cash_out, -1))).error().code ==
            Errc::bad_amount);
    REQUIRE(books.post(*posting_of(cash_operation(Kind::cash_out, -1))).error().code ==
            Errc::bad_amount);
    REQUIRE(transaction->account(cash).value()->balance == largest);
}

TEST_CASE("a store that fails, or that holds what it would not take, moves nothing", "[issuer][I8]")
{
    TestIssuer issuer;
    issuer.close();
    lies = {};
    WrappedStore<LyingTransaction> store(issuer.store().open().value(),
                                         []() -> std::optional<Error> { return std::nullopt; });
    const auto transaction = store.write().value();
    Books books(*transaction);
    const auto cash = cash_account(account_id("T1"));
    books.open(cash).value();
    lies.account = Error{.code = Errc::store_failed};
    REQUIRE(books.open(cash).error().code == Errc::store_failed);
    lies.account =
        std::optional(AccountRow{.name = cash, .balance = -largest, .reserved = largest});
    REQUIRE(books.reserve(cash_operation(Kind::top_up, 1)).error().code == Errc::bad_amount);
    lies.account.reset();
    books.open(cash).value();
    REQUIRE(transaction->account(cash).value()->reserved == 0);
}

TEST_CASE("a payment to an account that is full waits, kept or not, and takes nothing with it",
          "[issuer]")
{
    TestIssuer issuer;
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    change_store(issuer, [&](StoreTransaction& store) {
        put(store, associated_account(account_id("shop")), largest);
        put(store, cash_account(account_id("debt")), -largest);
    });
    const auto first = card.pay(1, "kiosk");
    const auto second = card.pay(2, "shop");
    REQUIRE(!issuer.settle(second).value().settled);
    REQUIRE(issuer.settle(first).value().settled);
    REQUIRE(issuer->standing(card.id(), std::nullopt).value().settled == 2);
    REQUIRE(issuer.settle(second).error().code == Errc::bad_amount);
    REQUIRE(issuer.balance(AccountKind::associated, "kiosk") == 1);
    REQUIRE(issuer.sum_of_books() == 0);

    change_store(issuer, [&](StoreTransaction& store) {
        put(store, associated_account(account_id("shop")), largest - 2);
        put(store, cash_account(account_id("debt")), 2 - largest);
    });
    REQUIRE(issuer.settle(second).value().settled);
}

TEST_CASE("what the store answers is told from what the platform refuses", "[issuer]")
{
    for (const auto code : {Errc::store_failed, Errc::file_damaged, Errc::file_in_use,
                            Errc::store_busy, Errc::store_unreachable, Errc::conflict})
        CHECK(is_store_error({.code = code}));
    for (const auto code : {Errc::evidence, Errc::bad_amount, Errc::unknown_card})
        CHECK_FALSE(is_store_error({.code = code}));
}
