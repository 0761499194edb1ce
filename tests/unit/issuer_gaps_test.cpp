// SPDX-License-Identifier: Apache-2.0
// docs/accounts.md, section 6.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "issuer/settlement.hpp"
#include "support/test_issuer.hpp"
#include "support/vectors.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

using testing::Json, testing::value;

constexpr auto gap_after = std::chrono::days(30);  // of TestIssuer

// One case of gaps.json, in a store of its own.
class VectorCase {
public:
    explicit VectorCase(const Json& one) : card_id_(value<CardId>(one.at("card_id")))
    {
        settings_.issuer.currency.unit = Unit::from_code(all_.at("unit")).value();
        settings_.issuer.card_root = value<PublicKey>(all_.at("card_root_public_key"));
        for (const auto& key : all_.at("operation_public_keys"))
            settings_.issuer.operation_keys.push_back(value<PublicKey>(key));
        auto seed = testing::secret<KeySeed>(all_.at("operation_seed"));
        settings_.signers = {std::make_shared<SoftwareOperationSigner>(std::move(seed))};
        insert_card(one);
        insert_accounts();
    }

    StoreTransaction& operator*() { return *transaction_; }
    StoreTransaction* operator->() { return transaction_.get(); }
    CardRow card() { return transaction_->card(card_id_).value().value(); }
    std::uint64_t size() { return transaction_->entry_count().value(); }

    // As the entry says that it was delivered; where it never settled, somewhere, some time.
    Result<Settlement> settle(const Json& result, const std::optional<Entry>& entry)
    {
        if (entry) now_ = entry->time;
        const Receipt receipt{CardResult::decode(testing::from_hex(result.at("result"))).value(),
                              value<Signature>(result.at("card_signature"))};
        ExecutedOperation executed{
            Operation::decode(testing::from_hex(result.at("operation"))).value(), {}, {}};
        if (!result.at("issuer_signature").is_null())
            executed.issuer_signature = value<Signature>(result.at("issuer_signature"));
        if (result.contains("consent") && !result.at("consent").is_null())
            executed.consent = value<Signature>(result.at("consent"));
        const auto terminal = entry ? entry->delivered()->terminal : account_id("till-1");
        return Settler(*transaction_, settings_, now_).settle({receipt, executed, terminal});
    }
    // Denies the card, at the time of that entry.
    std::size_t close(const Entry& entry)
    {
        auto row = card();
        set_denied(*transaction_, row, true).value();
        return Settler(*transaction_, settings_, entry.time).close_gaps(row).value();
    }

private:
    void insert_card(const Json& one)
    {
        const auto& settled = one.at("settled");
        CardRow row;
        row.card_id = card_id_;
        row.certificate = value<Certificate>(one.at("certificate"));
        row.public_key = value<PublicKey>(one.at("public_key"));
        row.transport_key = sha256(card_id_.bytes());
        row.first_operation_key = row.operation_key = settings_.issuer.operation_keys[0];
        row.settled = settled.at("sequence");
        row.balance = Balance::minor_units(std::stoull(settled.at("balance").get<std::string>()));
        row.last_result = value<Digest>(settled.at("result_digest"));
        row.state = settled.at("state") == "03" ? CardState::blocked : CardState::operational;
        transaction_->insert_card(row).value();
        balanced(static_cast<std::int64_t>(row.balance.to_minor_units()));
    }
    void insert_accounts()
    {
        constexpr std::int64_t funds = 10'000;
        AccountRow row{.name = associated_account(
                           account_id(all_.at("account").at("name").get<std::string>())),
                       .balance = funds,
                       .key = value<PublicKey>(all_.at("account").at("key"))};
        transaction_->put_account(row).value();
        balanced(funds);
    }
    void balanced(std::int64_t amount)
    {
        outside_ -= amount;
        transaction_
            ->put_account({.name = outside_account(account_id("bank")), .balance = outside_})
            .value();
    }

    const Json all_ = testing::load_vectors("gaps.json");
    CardId card_id_;
    PlatformSettings settings_;
    TemporaryFolder folder_;
    std::unique_ptr<Store> store_ = create_sqlite_store(folder_.file("store")).value();
    std::unique_ptr<StoreTransaction> transaction_ = store_->write().value();
    std::int64_t outside_ = 0;
    Time now_{};
};

Entry entry_of(const Json& hex)
{
    return Entry::decode(testing::from_hex(hex)).value();
}

Json moves_of(const std::optional<Posting>& posting)
{
    if (!posting) return Json::array();
    return {posting->debit.to_string(), posting->credit.to_string(),
            std::to_string(posting->amount.to_minor_units())};
}

// A late result, and everything that gaps.json says of it.
void play_late(VectorCase& it, const Json& late)
{
    const std::string outcome = late.at("outcome");
    CAPTURE(late.at("what"), outcome);
    const auto entry =
        outcome == "settles" ? std::optional(entry_of(late.at("entry"))) : std::nullopt;
    const auto before = it.size();
    const auto stood = it.card();
    const bool waits = !it->kept(stood.card_id).value().empty();
    const auto answer = it.settle(late, entry);
    const auto card = it.card();
    if (outcome == "settles") {
        REQUIRE(answer);
        CHECK(answer->settled);
        const auto made = it->entry(answer->ledger_index).value().value();
        CHECK(made.record()->encode() == entry->record()->encode());
        CHECK(moves_of(it->posting(answer->ledger_index).value()) == late.at("moves"));
    } else if (outcome == "again") {
        REQUIRE(answer);
        CHECK(answer->settled);
        CHECK(it.size() == before);
    } else if (outcome == "waits") {
        REQUIRE(answer);
        CHECK(!answer->settled);
        CHECK(it.size() == before);
    } else {
        REQUIRE(!answer);
        CHECK((answer.error().code == Errc::evidence) == (outcome == "evidence"));
        CHECK(it.size() == before);
    }
    // A result that waited settles together with the credit that it waited for.
    if (!waits) CHECK(std::to_string(it->gaps(card.card_id).value().at(0).left) == late.at("left"));
    CHECK(card.settled == stood.settled);
    CHECK(card.balance == stood.balance);
    CHECK(card.last_result == stood.last_result);
    CHECK(it->sum_of_books().value() == 0);
}

// An issuer, and a card with 50.00.
class World : public TestIssuer {
public:
    World()
    {
        open_account(account_id("SHOP")).value();
        execute(OrderKind::pay_in, "SHOP", 1000, "bank").value();
        run(card, Kind::top_up, 5000);
    }
    std::int64_t associated(const char* name) { return balance(AccountKind::associated, name); }
    std::int64_t left() { return associated("unaccounted"); }
    std::uint32_t settled() { return (*this)->standing(card.id(), std::nullopt)->settled; }
    bool keeps(const Submission& submission) { return !settle(submission).value().settled; }
    LedgerReport right_audit()
    {
        CHECK(sum_of_books() == 0);
        auto report = audit();
        if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
        REQUIRE(!report.fault);
        std::int64_t all = 0;
        for (const auto& gap : report.gaps) all += gap.left;
        CHECK(report.unaccounted == all);
        CHECK(left() == all);
        return report;
    }
    SimulatedCard card = make_card();
};

}  // namespace

TEST_CASE("the gaps of the vectors are made byte by byte, and late results do what they say",
          "[gaps]")
{
    std::map<std::string, int> outcomes;
    for (const auto& one : testing::load_vectors("gaps.json", "cases")) {
        CAPTURE(one.at("what"));
        VectorCase it(one);
        const auto gap = entry_of(one.at("entries").at(0));
        const auto payment = entry_of(one.at("entries").at(1));
        CHECK(!it.settle(one.at("kept"), payment).value().settled);
        REQUIRE(it.close(gap) == 1);
        REQUIRE(it.size() == 2);
        for (std::uint64_t index = 0; index < 2; ++index)
            CHECK(to_hex(it->entry(index).value()->encode()) == one.at("entries").at(index));
        CHECK(to_hex(it->entry(0).value()->gap()->encode()) == one.at("gap").at("encoded"));

        const auto& stands = one.at("stands");
        CHECK(it.card().settled == stands.at("sequence"));
        CHECK(std::to_string(it.card().balance.to_minor_units()) == stands.at("balance"));
        CHECK(it.card().last_result.to_string() == stands.at("result_digest"));
        CHECK(it.card().state == CardState::operational);
        CHECK(std::to_string(it->gaps(it.card().card_id).value().at(0).left) == one.at("moves"));
        for (const auto& late : one.at("late")) {
            play_late(it, late);
            ++outcomes[late.at("outcome")];
        }
    }
    CHECK(outcomes ==
          std::map<std::string, int>{
              {"settles", 16}, {"again", 1}, {"waits", 3}, {"refused", 3}, {"evidence", 4}});
}

TEST_CASE("a card that is denied has its kept payments settled at once", "[gaps]")
{
    World world;
    const auto missing = world.card.pay(100, "SHOP");
    const auto kept = world.card.pay(30, "SHOP");
    CHECK(world.keeps(kept));
    CHECK(world->kept(world.card.id()).value().size() == 1);
    CHECK(world->cards_with_kept(std::nullopt, 10).value() == std::vector{world.card.id()});
    SECTION("denied")
    {
        world->deny(world.card.id()).value();
    }
    SECTION("lost")
    {
        world->declare_lost(world.card.id()).value();
    }
    CHECK(world.settled() == 3);
    CHECK(world.left() == 100);
    CHECK(world.associated("SHOP") == 1030);
    CHECK(world.settle(kept).value().settled);
    const auto gaps = world->gaps(world.card.id()).value();
    REQUIRE(gaps.size() == 1);
    CHECK(gaps[0].first == 2);
    CHECK(gaps[0].last == 2);
    CHECK(gaps[0].left == 100);
    CHECK(world.right_audit().gaps.at(0).left == 100);

    CHECK(world.settle(missing).value().settled);
    CHECK(world.left() == 0);
    CHECK(world.associated("SHOP") == 1130);
    const auto report = world.right_audit();
    CHECK(report.gaps.at(0).moved == 100);
    CHECK(report.gaps.at(0).left == 0);
    CHECK(report.gaps.at(0).settled_late == 1);
    CHECK(world->evidence().value().empty());
}

TEST_CASE("a payment of a denied card that comes ahead settles with the gap in front of it",
          "[gaps]")
{
    World world;
    world->deny(world.card.id()).value();
    world.card.pay(100, "SHOP");
    const auto settled = world.settle(world.card.pay(30, "SHOP")).value();
    CHECK(settled.settled);
    CHECK(settled.sequence == 3);
    CHECK(world->entry(settled.ledger_index - 1).value()->gap() != nullptr);
    CHECK(world.left() == 100);
    world.right_audit();
}

TEST_CASE("of a card in use a gap is made when the first payment has waited long enough", "[gaps]")
{
    World world;
    world.card.pay(100, "SHOP");
    const auto first = world.card.pay(30, "SHOP");
    world.card.pay(200, "SHOP");
    const auto second = world.card.pay(40, "SHOP");
    CHECK(world.keeps(second));
    world.clock += std::chrono::days(1);
    CHECK(world.keeps(first));
    // It counts from the one that came first, whatever its sequence.
    world.clock += gap_after - std::chrono::days(1) - std::chrono::milliseconds(1);
    CHECK(world->close_gaps().value() == 0);
    CHECK(world.settled() == 1);
    world.reopen();
    world.clock += std::chrono::milliseconds(1);
    CHECK(world->close_gaps().value() == 2);
    CHECK(world.settled() == 5);
    CHECK(world.left() == 300);
    CHECK(world->close_gaps().value() == 0);
    CHECK(world->cards_with_kept(std::nullopt, 10).value().empty());
    CHECK(!world->standing(world.card.id(), std::nullopt)->denied);
    // And the card goes on.
    world.run(world.card, Kind::top_up, 10);
    CHECK(world.settled() == 6);
    CHECK(world.right_audit().gaps.size() == 2);
}

TEST_CASE("where a credit is missing there is no gap, and the payments wait for it", "[gaps]")
{
    World world;
    const auto first = world.authorise(world.card, Kind::top_up, 500).value().first;
    const auto missing = world.card.execute(first);
    const auto kept = world.card.pay(30, "SHOP");
    CHECK(world.keeps(kept));
    world->deny(world.card.id()).value();
    world.clock += gap_after;
    CHECK(world->close_gaps().value() == 0);
    CHECK(world.settled() == 1);
    CHECK(world->settle(submission(missing)).value().settled);
    CHECK(world.settled() == 3);
    CHECK(world.right_audit().gaps.empty());
}

TEST_CASE("of two results for one kept sequence one settles, when there was time for the others",
          "[gaps][I14]")
{
    World world;
    auto clone = world.card;
    world.card.pay(100, "SHOP");
    clone.pay(200, "thief");
    const auto honest = world.card.pay(30, "SHOP"), forged = clone.pay(40, "thief");
    CHECK(world.keeps(honest));
    CHECK(world.settle(forged).error().code == Errc::evidence);
    // One that fits may still show.
    CHECK(world->close_gaps().value() == 0);
    CHECK(world.settled() == 1);
    world.clock += gap_after;
    CHECK(world->close_gaps().value() == 1);
    CHECK(world.settled() == 3);
    CHECK(world.settle(honest).has_value() != world.settle(forged).has_value());
    CHECK(world->kept(world.card.id()).value().empty());
    CHECK(world->evidence().value().size() >= 1);
    world.right_audit();
}

TEST_CASE("an operation that is pending in a gap pends until its result comes", "[gaps]")
{
    World world;
    const auto request = world.transfer_request(world.card.request(Kind::transfer_in, 100, "SHOP"));
    const auto first = world->authorise_transfer(request).value().first;
    const auto missing = world.card.execute(first);
    const auto paid = world.card.pay(300, "OTHER");
    CHECK(world.keeps(world.card.pay(1, "SHOP")));
    world->deny(world.card.id()).value();
    CHECK(world.settled() == 4);
    CHECK(world.left() == 200);
    CHECK(world.reserved(AccountKind::associated, "SHOP") == 100);
    CHECK(world->status(request.id, std::nullopt)->progress == Progress::pending);
    world.right_audit();

    SECTION("its own")
    {
        CHECK(!world.settle(paid).value().settled);  // the gap has not enough
        CHECK(world.left() == 200);
        CHECK(world->settle(submission(missing)).value().settled);
        CHECK(world->status(request.id, std::nullopt)->progress == Progress::settled);
        // The result that waited for it has settled as well.
        CHECK(world.settle(paid).value().settled);
        CHECK(world.associated("SHOP") == 901);
        CHECK(world.associated("OTHER") == 300);
        CHECK(world.left() == 0);
    }
    SECTION("or it is written off")
    {
        const auto card = world.card.id().to_string();
        world.execute(OrderKind::write_off, "SHOP", 0, card.c_str()).value();
        CHECK(world.reserved(AccountKind::associated, "SHOP") == 0);
        CHECK(world->settle(submission(missing)).value().settled);
        CHECK(world.associated("SHOP") == 1001);
        CHECK(world.balance(AccountKind::outside, "losses") == -100);
        CHECK(world.right_audit().written_off.size() == 1);
    }
    CHECK(world.reserved(AccountKind::associated, "SHOP") == 0);
    world.right_audit();
}

TEST_CASE("a late result that does not fit between its neighbours is evidence", "[gaps]")
{
    World world;
    auto clone = world.card;
    const auto first = world.card.pay(10, "SHOP");
    const auto second = world.card.pay(20, "SHOP");
    CHECK(world.keeps(world.card.pay(30, "SHOP")));
    world->deny(world.card.id()).value();
    CHECK(world.left() == 30);

    const auto forged = clone.pay(11, "thief");
    CHECK(world.settle(second).value().settled);
    CHECK(world.settle(forged).error().code == Errc::evidence);
    CHECK(world->evidence().value().at(0).reason == EvidenceReason::broken_chain);
    CHECK(world.settle(first).value().settled);
    CHECK(world.settle(forged).error().code == Errc::evidence);
    CHECK(world.associated("thief") == 0);
    CHECK(world.left() == 0);
    world.right_audit();
}

TEST_CASE("more than fifteen missing results are no gap, and a terminated card has none", "[gaps]")
{
    World world;
    SECTION("sixteen")
    {
        for (int i = 0; i < 16; ++i) world.card.pay(1, "SHOP");
        CHECK(world.settle(world.card.pay(1, "SHOP")).error().code == Errc::unsettled);
    }
    SECTION("terminated")
    {
        world.run(world.card, Kind::terminate);
        world.card.pay(1, "SHOP");
        CHECK(world.keeps(world.card.pay(1, "SHOP")));
    }
    world->deny(world.card.id()).value();
    world.clock += gap_after;
    CHECK(world->close_gaps().value() == 0);
    CHECK(world->gaps(world.card.id()).value().empty());
    CHECK(world.right_audit().gaps.empty());
}

TEST_CASE("I23: in whatever order late results come, each payee has what it would have had",
          "[gaps]")
{
    std::vector<std::size_t> order{0, 1, 2, 3};
    int orders = 0;
    do {
        CAPTURE(order);
        World world;
        std::vector<Submission> missing;
        const auto first = world.authorise(world.card, Kind::top_up, 1000).value().first;
        missing.push_back(submission(world.card.execute(first)));
        for (const auto& [amount, payee] :
             {std::pair(3000, "A"), std::pair(200, "B"), std::pair(70, "A")})
            missing.push_back(world.card.pay(amount, payee));
        CHECK(world.keeps(world.card.pay(5, "C")));
        world->deny(world.card.id()).value();
        CHECK(world.left() == 2270);
        for (const auto i : order) {
            CHECK(world.settle(missing[i]));
            world.right_audit();
        }
        for (const auto& one : missing) CHECK(world.settle(one).value().settled);
        CHECK(world.associated("A") == 3070);
        CHECK(world.associated("B") == 200);
        CHECK(world.associated("C") == 5);
        CHECK(world.left() == 0);
        CHECK(world.balance(AccountKind::cash, "T1") == -6000);
        CHECK(world->evidence().value().empty());
        ++orders;
    } while (std::ranges::next_permutation(order).found);
    CHECK(orders == 24);
}
