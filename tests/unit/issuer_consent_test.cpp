// SPDX-License-Identifier: Apache-2.0
// docs/accounts.md, section 4.
#include <catch2/catch.hpp>

#include <map>
#include <utility>

#include "support/test_issuer.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

using testing::Json, testing::value;

// One case of consents.json: its card and its account as they stand, on a platform of the vectors'
// issuer.
class VectorPlatform {
public:
    VectorPlatform(const Json& one, Balance card_before)
        : one_(one), operation_(Operation::decode(testing::from_hex(one.at("operation"))).value())
    {
        const auto store = store_.create().value();
        const auto transaction = store->write().value();
        insert_card(*transaction, value<CardId>(all_.at("card").at("card_id")),
                    value<PublicKey>(all_.at("card").at("P")), card_before);
        insert_card(*transaction, value<CardId>(all_.at("other_card_id")), PublicKey{}, {});
        const auto units = operation_.amount.to_minor_units();
        AccountRow account{.name = associated_account(*operation_.account), .balance = units};
        if (one.at("account").contains("key"))
            account.key = value<PublicKey>(one.at("account").at("key"));
        transaction->put_account(account).value();
        const auto there = units + static_cast<std::int64_t>(card_before.to_minor_units());
        transaction->put_account({.name = outside_account(account_id("bank")), .balance = -there})
            .value();
        transaction->commit().value();
        platform_ = Platform::open(store_.open().value(), settings()).value();
    }

    Platform& operator*() { return *platform_; }
    Platform* operator->() { return platform_.get(); }
    TransferRequest request() const
    {
        TransferRequest request{.id = id_of<OperationId>(1),
                                .second = {operation_, value<Signature>(one_.at("card_signature"))},
                                .terminal = account_id("till-1")};
        if (!one_.at("consent").is_null()) request.consent = value<Signature>(one_.at("consent"));
        return request;
    }

private:
    PlatformSettings settings() const
    {
        PlatformSettings settings;
        auto seed = testing::secret<KeySeed>(all_.at("operation_seed"));
        settings.signers = {std::make_shared<SoftwareOperationSigner>(std::move(seed))};
        settings.issuer.origin = "vectors.example";
        settings.issuer.currency = {.unit = operation_.unit, .exponent = 2};
        settings.issuer.card_root = value<PublicKey>(all_.at("card_root_public_key"));
        settings.issuer.checkpoint_key = CheckpointKey(test::seed(3)).public_key();
        settings.issuer.operation_keys = {settings.signers[0]->public_key()};
        return settings;
    }
    // As it is in front of the operation.
    void insert_card(StoreTransaction& store, const CardId& id, const PublicKey& key,
                     Balance balance) const
    {
        CardRow row;
        row.card_id = id;
        row.certificate = Certificate(sha256(id.bytes()).bytes());
        row.public_key = key;
        row.transport_key = sha256(id.bytes());
        row.first_operation_key = row.operation_key = settings().issuer.operation_keys[0];
        row.settled = operation_.sequence - 1;
        row.balance = balance;
        row.limits.maximum_balance = row.limits.maximum_amount =
            Balance::minor_units(Balance::largest);
        if (one_.contains("record")) row.last_result = record().receipt.result.previous_result;
        store.insert_card(row).value();
        store.put_account({.name = associated_account(holder_account(id))}).value();
    }
    Record record() const { return Record::decode(testing::from_hex(one_.at("record"))).value(); }

    const Json all_ = testing::load_vectors("consents.json");
    Json one_;
    Operation operation_;
    TemporaryFolder folder_;
    TestStore store_{folder_.file("store")};
    std::unique_ptr<Platform> platform_;
};

// An issuer whose SHOP has 10.00 of account_owner(), and a card that has paid it 5.00.
class World : public TestIssuer {
public:
    World()
    {
        open_account(account_id("SHOP")).value();
        open_account(account_id("OTHER")).value();
        execute(OrderKind::pay_in, "SHOP", 500, "bank").value();
        run(card, Kind::top_up, 5000);
        settle(card.pay(500, "SHOP")).value();
    }
    PaymentName payment() const { return {card.id(), 2}; }
    TransferRequest refund(const SimulatedCard& to, std::int64_t amount, const PaymentName& of,
                           const char* terminal = "T1")
    {
        auto asked = transfer_request(to.request(Kind::transfer_in, amount, "SHOP"), terminal);
        asked.refunds = of;
        return asked;
    }
    Result<OperationStatus> ask(const TransferRequest& request)
    {
        return (*this)->authorise_transfer(request);
    }
    void right_audit()
    {
        CHECK(sum_of_books() == 0);
        const auto report = audit();
        if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
        CHECK(!report.fault);
    }
    SimulatedCard card = make_card();
};

Errc code_of(const Result<OperationStatus>& answer)
{
    REQUIRE(!answer);
    return answer.error().code;
}

}  // namespace

TEST_CASE("I19: each consent of the vectors that is not right is refused by its name", "[consent]")
{
    const std::map<std::string, Errc> names{{"consent_needed", Errc::consent_needed},
                                            {"bad_signature", Errc::bad_signature},
                                            {"not_the_owner", Errc::not_the_owner}};
    int refused = 0;
    for (const auto& bad : testing::load_vectors("consents.json", "bad")) {
        CAPTURE(bad.at("why"));
        VectorPlatform platform(bad, Balance::minor_units(100));
        const auto before = platform->accounts().value().size();
        const auto answer = platform->authorise_transfer(platform.request());
        REQUIRE(!answer);
        CHECK(answer.error().code == names.at(bad.at("error")));
        CHECK(platform->pending().value().empty());
        CHECK(platform->accounts().value().size() == before);
        for (const auto& row : platform->accounts().value()) CHECK(row.reserved == 0);
        ++refused;
    }
    CHECK(refused == 35);
}

TEST_CASE("the consents of the vectors are taken, and go into the record as they came", "[consent]")
{
    int settled = 0;
    for (const auto& good : testing::load_vectors("consents.json", "good")) {
        CAPTURE(good.at("account"));
        const auto record = Record::decode(testing::from_hex(good.at("record"))).value();
        const auto& result = record.receipt.result;
        VectorPlatform platform(good,
                                checked_add(result.balance, -record.operation.amount).value());
        const auto first = platform->authorise_transfer(platform.request()).value().first;
        CHECK(first.issuer_signature == record.issuer_signature);
        CHECK(platform->settle(submission(record.receipt)).value().settled);
        CHECK(to_hex(platform->entry(0).value()->record()->encode()) == good.at("record"));
        ++settled;
    }
    CHECK(settled == 4);
}

TEST_CASE("a consent is to one operation of one card, once", "[consent]")
{
    World world;
    auto other = world.make_card();
    const auto asked = world.transfer_request(world.card.request(Kind::transfer_in, 100, "SHOP"));
    auto stolen = world.transfer_request(other.request(Kind::transfer_in, 100, "SHOP"));
    stolen.consent = asked.consent;
    CHECK(code_of(world.ask(stolen)) == Errc::bad_signature);

    const auto first = world.ask(asked).value().first;
    CHECK(world.ask(asked).value().first == first);
    auto again = asked;
    again.id = world.next_id();
    CHECK(code_of(world.ask(again)) == Errc::operation_pending);
    world->settle(submission(world.card.execute(first))).value();
    CHECK(code_of(world.ask(again)) == Errc::wrong_sequence);
    CHECK(world.balance(AccountKind::associated, "SHOP") == 900);
    // The next one wants a word of its own.
    auto next = world.transfer_request(world.card.request(Kind::transfer_in, 100, "SHOP"));
    next.consent = asked.consent;
    CHECK(code_of(world.ask(next)) == Errc::bad_signature);
    world.right_audit();
}

TEST_CASE("a card draws on its own holder account by its request alone", "[consent]")
{
    World world;
    const std::string holder(holder_account(world.card.id()).text());
    world.transfer(world.card, Kind::transfer_out, -300, holder.c_str());
    auto asked = world.transfer_request(world.card.request(Kind::transfer_in, 100, holder.c_str()));
    CHECK(!asked.consent);
    asked.consent = Signature{};
    CHECK(code_of(world.ask(asked)) == Errc::malformed);
    asked.consent.reset();
    const auto first = world.ask(asked).value().first;
    const auto index = world->settle(submission(world.card.execute(first)))->ledger_index;
    CHECK(!world->entry(index).value()->record()->consent);
    world.right_audit();
}

TEST_CASE("an account that nobody has opened, or that is another card's, gives nothing",
          "[consent]")
{
    World world;
    auto other = world.make_card();
    world.settle(world.card.pay(5, "UNCLAIMED")).value();
    const std::string holder(holder_account(other.id()).text());
    world.execute(OrderKind::pay_in, holder.c_str(), 100, "bank").value();
    for (const std::string& account :
         {std::string("NOBODY"), std::string("UNCLAIMED"), holder, std::string("H-x"),
          std::string("unaccounted"), "H-" + id_of<CardId>(77).to_string()}) {
        CAPTURE(account);
        const auto second = world.card.request(Kind::transfer_in, 1, account.c_str());
        auto asked = world.transfer_request(second);
        CHECK(code_of(world.ask(asked)) == Errc::not_the_owner);
        asked.consent =
            account_owner().consent(world.description().card_root, second.operation).value();
        CHECK(code_of(world.ask(asked)) == Errc::not_the_owner);
    }
    world.right_audit();
}

TEST_CASE("a transfer in that the store forgot settles with its owner's word, and not without",
          "[consent]")
{
    World world;
    const auto operation = world.card.make(Kind::transfer_in, 100, "SHOP");
    ExecutedOperation executed{operation, SoftwareOperationSigner(seed(1)).sign(operation).value()};
    const auto receipt = world.card.execute(operation);
    const auto settle = [&] { return world->settle(submission(receipt, executed)); };
    CHECK(settle().error().code == Errc::consent_needed);
    const auto& root = world.description().card_root;
    executed.consent = SoftwareAccountSigner(seed(10)).consent(root, operation).value();
    CHECK(settle().error().code == Errc::bad_signature);
    CHECK(world->evidence().value().empty());
    CHECK(world.balance(AccountKind::associated, "SHOP") == 1000);
    executed.consent = account_owner().consent(root, operation).value();
    const auto settled = settle().value();
    CHECK(settled.restored);
    CHECK(world->entry(settled.ledger_index).value()->record()->consent == executed.consent);
    CHECK(world.balance(AccountKind::associated, "SHOP") == 900);
    world.right_audit();
}

TEST_CASE("a word that was forgotten counts under the key in force and the one before it",
          "[consent]")
{
    World world;
    const auto operation = world.card.make(Kind::transfer_in, 100, "SHOP");
    const auto& root = world.description().card_root;
    const ExecutedOperation executed{operation,
                                     SoftwareOperationSigner(seed(1)).sign(operation).value(),
                                     account_owner().consent(root, operation).value()};
    const auto receipt = world.card.execute(operation);
    const auto replace_key = [&](std::uint8_t signer, std::uint8_t key) {
        auto order = world.order(OrderKind::replace_key, "SHOP");
        order.order.key = SoftwareAccountSigner(seed(key)).public_key();
        order.owner = SoftwareAccountSigner(seed(signer)).sign(root, order.order).value();
        return world->execute(order);
    };
    REQUIRE(replace_key(9, 20));
    SECTION("replaced once")
    {
        CHECK(world->settle(submission(receipt, executed)).value().restored);
        CHECK(world.balance(AccountKind::associated, "SHOP") == 900);
    }
    SECTION("replaced twice")
    {
        REQUIRE(replace_key(20, 21));
        CHECK(world->settle(submission(receipt, executed)).error().code == Errc::bad_signature);
        CHECK(world.balance(AccountKind::associated, "SHOP") == 1000);
    }
    world.right_audit();
}

TEST_CASE("a payment is refunded, whole or in parts, and never more than it was", "[consent]")
{
    World world;
    CHECK(code_of(world.ask(world.refund(world.card, 501, world.payment()))) == Errc::refund_limit);
    const auto give_back = [&](std::int64_t amount) {
        const auto first = world.ask(world.refund(world.card, amount, world.payment())).value();
        world->settle(submission(world.card.execute(first.first))).value();
    };
    SECTION("whole")
    {
        give_back(500);
    }
    SECTION("in parts")
    {
        give_back(200);
        CHECK(code_of(world.ask(world.refund(world.card, 301, world.payment()))) ==
              Errc::refund_limit);
        give_back(299);
        give_back(1);
    }
    CHECK(code_of(world.ask(world.refund(world.card, 1, world.payment()))) == Errc::refund_limit);
    CHECK(world.balance(AccountKind::associated, "SHOP") == 500);
    // A transfer that is no refund of it is the owner's to give.
    CHECK(world.transfer(world.card, Kind::transfer_in, 100, "SHOP").settled);
    world.right_audit();
}

TEST_CASE("of two tills that refund one payment at once, one does", "[consent]")
{
    World world;
    auto other = world.make_card();
    const auto here = world.refund(world.card, 500, world.payment(), "T1");
    const auto there = world.refund(other, 500, world.payment(), "T2");
    const std::vector<Order> orders{here, there};
    const auto answers = world->do_all(orders).value();
    const auto& first = std::get<Result<OperationStatus>>(answers[0]);
    REQUIRE(first);
    CHECK(code_of(std::get<Result<OperationStatus>>(answers[1])) == Errc::refund_limit);
    CHECK(world.ask(here).value().first == first->first);

    // A void gives the other one its chance.
    const auto cancel = world->void_pending(world.card.id()).value();
    CHECK(code_of(world.ask(there)) == Errc::refund_limit);
    world->settle(submission(world.card.execute(cancel))).value();
    const auto second = world.ask(there).value().first;
    world->settle(submission(other.execute(second))).value();
    CHECK(code_of(world.ask(world.refund(world.card, 1, world.payment()))) == Errc::refund_limit);
    CHECK(world.balance(AccountKind::associated, "SHOP") == 500);
    world.right_audit();
}

TEST_CASE("a refund is of a settled payment to the account that gives it", "[consent]")
{
    World world;
    world.settle(world.card.pay(10, "OTHER")).value();
    auto payer = world.make_card();
    world.run(payer, Kind::top_up, 100);
    const auto unsettled = payer.pay(10, "SHOP");
    const auto refused = [&](const PaymentName& of) {
        return code_of(world.ask(world.refund(world.card, 1, of)));
    };
    CHECK(refused({world.card.id(), 1}) == Errc::unknown_operation);  // a top-up
    CHECK(refused({world.card.id(), 3}) == Errc::unknown_operation);  // to another account
    CHECK(refused({world.card.id(), 4}) == Errc::unknown_operation);
    CHECK(refused({id_of<CardId>(77), 1}) == Errc::unknown_operation);
    CHECK(refused({payer.id(), 2}) == Errc::unknown_operation);
    world.settle(unsettled).value();
    const auto asked = world.refund(world.card, 1, {payer.id(), 2});
    auto without = asked;
    without.consent.reset();
    CHECK(code_of(world.ask(without)) == Errc::consent_needed);
    CHECK(world.ask(asked));
    auto other = asked;
    other.refunds = world.payment();
    CHECK(code_of(world.ask(other)) == Errc::conflict);

    auto holders = world.transfer_request(payer.request(
        Kind::transfer_in, 1, std::string(holder_account(payer.id()).text()).c_str()));
    holders.refunds = PaymentName{payer.id(), 2};
    CHECK(code_of(world.ask(holders)) == Errc::malformed);
    world.right_audit();
}
