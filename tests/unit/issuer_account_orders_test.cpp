// SPDX-License-Identifier: Apache-2.0
// docs/accounts.md, section 3.
#include <catch2/catch.hpp>

#include <limits>

#include "support/test_issuer.hpp"

using namespace tallycard;
using namespace tallycard::test;

namespace {

constexpr auto largest = std::numeric_limits<std::int64_t>::max();

// An issuer with two accounts of account_owner(): SHOP has 10.00, OTHER nothing.
class World : public TestIssuer {
public:
    World()
    {
        open_account(account_id("SHOP")).value();
        open_account(account_id("OTHER")).value();
        execute(OrderKind::pay_in, "SHOP", 1000, "bank").value();
    }
    std::int64_t associated(const char* name) { return balance(AccountKind::associated, name); }
    std::int64_t outside(const char* name) { return balance(AccountKind::outside, name); }

    // Signed by somebody else, or for another issuer.
    SignedOrder signed_by(SignedOrder order, std::uint8_t owner) const
    {
        return signed_by(order, owner, description().card_root);
    }
    static SignedOrder signed_by(SignedOrder order, std::uint8_t owner, const PublicKey& issuer)
    {
        order.owner = SoftwareAccountSigner(seed(owner)).sign(issuer, order.order).value();
        return order;
    }
    // The key of account_owner() is replaced by that of another seed, or the account opened for it.
    SignedOrder with_key(OrderKind kind, const char* account, std::uint8_t key, std::uint8_t signer)
    {
        auto made = order(kind, account);
        made.order.key = SoftwareAccountSigner(seed(key)).public_key();
        return signed_by(made, signer);
    }

    // Everything that an order might change, as text.
    std::string content()
    {
        std::string text = std::to_string((*this)->ledger_head().value().size);
        for (const auto& row : (*this)->accounts().value())
            text += row.name.to_string() + ' ' + std::to_string(row.balance) + ' ' +
                    std::to_string(row.reserved) + ' ' + std::to_string(row.number) + ' ' +
                    (row.key ? row.key->to_string() : "-") + '\n';
        for (const auto& row : (*this)->cards().value())
            text += std::to_string(row.recovered) + (row.given_up_at ? " given up" : "") + '\n';
        return text;
    }
    // Refused by this name, and nothing has changed.
    void refused(const SignedOrder& order, Errc code)
    {
        CAPTURE(name(order.order.kind), order.order.account.text());
        const auto before = content();
        const auto answer = (*this)->execute(order);
        REQUIRE(!answer);
        CHECK(answer.error().code == code);
        CHECK(content() == before);
    }
    void all_is_right()
    {
        CHECK(sum_of_books() == 0);
        const auto report = audit();
        if (report.fault) UNSCOPED_INFO(report.fault->line << ": " << report.fault->what);
        CHECK(!report.fault);
    }
};

// A card that is denied; it had 5.00 and has 3.00 of them in its holder account.
SimulatedCard denied_card(TestIssuer& issuer)
{
    auto card = issuer.make_card();
    issuer.run(card, Kind::top_up, 500);
    const std::string holder(holder_account(card.id()).text());
    issuer.transfer(card, Kind::transfer_out, -300, holder.c_str());
    issuer->deny(card.id()).value();
    return card;
}

}  // namespace

TEST_CASE("an account is opened by the key that its owner proves to have, and by no other",
          "[orders]")
{
    World world;
    const auto standing = world->account_standing(account_id("SHOP")).value();
    CHECK(standing.key == account_owner().public_key());
    CHECK(standing.number == 2);
    CHECK(standing.balance == 1000);
    CHECK(world->account_standing(account_id("NEW")).error().code == Errc::unknown_account);

    world.refused(world.with_key(OrderKind::open, "NEW", 20, 21), Errc::bad_signature);
    world.refused(world.with_key(OrderKind::open, "SHOP", 20, 20), Errc::account_state);
    const auto done = world->execute(world.with_key(OrderKind::open, "NEW", 20, 20)).value();
    CHECK(done.ledger_index == 3);
    CHECK(done.time == world.clock);
    CHECK(world->entry(3).value()->account_record()->order == done.record.order);
    CHECK(world->account_standing(account_id("NEW"))->key ==
          SoftwareAccountSigner(seed(20)).public_key());
    world.all_is_right();
}

TEST_CASE("I3: value comes in, moves and goes out by orders, and each has two sides", "[orders]")
{
    World world;
    CHECK(world.outside("bank") == -1000);
    world.execute(OrderKind::pay_out, "SHOP", -300, "bank").value();
    CHECK(world.associated("SHOP") == 700);
    CHECK(world.outside("bank") == -700);
    world.execute(OrderKind::move, "SHOP", -200, "OTHER").value();
    CHECK(world.associated("SHOP") == 500);
    CHECK(world.associated("OTHER") == 200);
    world.execute(OrderKind::adjust, "SHOP", -40, "fees").value();
    world.execute(OrderKind::adjust, "OTHER", 1, "fees").value();
    CHECK(world.associated("SHOP") == 460);
    CHECK(world.outside("fees") == 39);

    const auto report = world.audit();
    REQUIRE(!report.fault);
    CHECK(report.in_accounts == 661);
    CHECK(report.outside == -661);
    CHECK(report.kinds.at("pay out").sum == -300);
    CHECK(report.kinds.at("move").sum == -200);
    REQUIRE(report.without_the_owner.size() == 2);
    CHECK(report.without_the_owner[0].kind == OrderKind::adjust);
    CHECK(report.without_the_owner[0].amount == -40);
    CHECK(report.without_the_owner[0].reference.text() == "case 1");
    CHECK(world.sum_of_books() == 0);
}

TEST_CASE("I21: an order has the number behind the account's last one, or is told that number",
          "[orders]")
{
    World world;
    for (const std::uint32_t number : {0U, 1U, 2U, 4U, 0xFFFFFFFFU}) {
        auto order = world.order(OrderKind::pay_out, "SHOP", -1, "bank");
        order.order.number = number;
        const auto answer = world->execute(world.signed_by(order, 9));
        REQUIRE(!answer);
        CHECK(answer.error().code == Errc::wrong_order_number);
        CHECK(answer.error().detail == 3);
    }
    world.execute(OrderKind::pay_out, "SHOP", -1000, "bank").value();
    world.execute(OrderKind::close, "SHOP").value();
    // On over close and another open.
    auto again = world.order(OrderKind::open, "SHOP");
    CHECK(again.order.number == 5);
    again.order.number = 1;
    world.refused(world.signed_by(again, 9), Errc::wrong_order_number);
    CHECK(world.open_account(account_id("SHOP"))->record.order.number == 5);
    world.all_is_right();
}

TEST_CASE("I21: an order that is asked for twice is executed once, whatever happened between",
          "[orders]")
{
    World world;
    const auto order = world.order(OrderKind::pay_out, "SHOP", -100, "bank");
    const auto once = world->execute(order).value();
    world.execute(OrderKind::pay_out, "SHOP", -5, "bank").value();
    world.reopen();
    world.clock += std::chrono::hours(1);
    const auto again = world->execute(order).value();
    CHECK(again.record == once.record);
    CHECK(again.time == once.time);
    CHECK(again.ledger_index == once.ledger_index);
    // Who lost the answer may have learned of the other order by now.
    auto later = order;
    later.order.number += 2;
    CHECK(world->execute(world.signed_by(later, 9))->ledger_index == once.ledger_index);
    CHECK(world.associated("SHOP") == 895);

    SECTION("another amount")
    {
        later.order.amount = Amount::minor_units(-101);
    }
    SECTION("another side")
    {
        later.order.other = account_id("elsewhere");
    }
    SECTION("another kind")
    {
        later.order.kind = OrderKind::close;
        later.order.amount = {};
        later.order.other.reset();
    }
    SECTION("a reference")
    {
        later.order.reference = Reference::parse("invoice 7");
    }
    world.refused(world.signed_by(later, 9), Errc::conflict);
    // The id is the account's: another one may use it.
    auto others = world.order(OrderKind::pay_in, "OTHER", 7, "bank");
    others.order.id = order.order.id;
    CHECK(world->execute(others));
    world.all_is_right();
}

TEST_CASE("an account's state admits the kinds that it admits, and refuses the others by name",
          "[orders]")
{
    World world;
    auto denied = denied_card(world);
    auto paying = world.make_card();
    world.run(paying, Kind::top_up, 100);
    world.settle(paying.pay(1, "UNCLAIMED")).value();
    world.settle(paying.pay(1, "H-nobody")).value();
    world.open_account(account_id("CLOSED")).value();
    world.execute(OrderKind::close, "CLOSED").value();
    const auto stranger = id_of<CardId>(4711).to_string();
    const auto card = denied.id().to_string();
    const std::string holder(holder_account(denied.id()).text());

    struct Asked {
        OrderKind kind;
        std::int64_t amount;
        const char* other;
    };
    const Asked asked[] = {
        {OrderKind::open, 0, nullptr},          {OrderKind::pay_in, 1, "bank"},
        {OrderKind::pay_out, -1, "bank"},       {OrderKind::move, -1, "OTHER"},
        {OrderKind::replace_key, 0, nullptr},   {OrderKind::close, 0, nullptr},
        {OrderKind::adjust, 1, "fees"},         {OrderKind::recover, 1, card.c_str()},
        {OrderKind::reset_key, 0, nullptr},     {OrderKind::recover_holder, 1, card.c_str()},
        {OrderKind::write_off, 0, card.c_str()}};
    int refusals = 0;
    const auto refuse = [&](const Asked& one, const std::string& account, Errc code) {
        world.refused(world.order(one.kind, account.c_str(), one.amount, one.other), code);
        ++refusals;
    };
    for (const auto& one : asked) {
        const bool opens = one.kind == OrderKind::open;
        const bool suits = opens || !needs_owner(one.kind);
        if (!opens) {
            refuse(one, "NOBODY", Errc::unknown_account);
            refuse(one, "UNCLAIMED", Errc::account_state);
            refuse(one, "CLOSED", Errc::account_state);
        }
        // Never anybody's: names of no card of this issuer, and what gaps have left.
        refuse(one, "H-nobody", Errc::account_state);
        refuse(one, "H-" + stranger, suits ? Errc::account_state : Errc::unknown_account);
        refuse(one, "unaccounted", opens ? Errc::account_state : Errc::unknown_account);
        if (needs_owner(one.kind)) refuse(one, holder, Errc::account_state);
    }
    CHECK(refusals == 10 * 3 + 11 * 3 + 6);
    world.execute(OrderKind::pay_in, holder.c_str(), 5, "bank").value();
    world.execute(OrderKind::adjust, holder.c_str(), 5, "fees").value();
    CHECK(world.associated(holder.c_str()) == 310);
    // A denied card's is drawn on by kind 2A alone.
    world.refused(world.order(OrderKind::adjust, holder.c_str(), -5, "fees"), Errc::account_state);
    world->undeny(denied.id()).value();
    world.execute(OrderKind::adjust, holder.c_str(), -5, "fees").value();
    world.all_is_right();
}

TEST_CASE("an account is moved to what is open, or a card's of this issuer", "[orders]")
{
    World world;
    auto card = world.make_card();
    world.run(card, Kind::top_up, 100);
    world.settle(card.pay(1, "UNCLAIMED")).value();
    world.open_account(account_id("CLOSED")).value();
    world.execute(OrderKind::close, "CLOSED").value();
    const std::string holder(holder_account(card.id()).text());
    const auto to = [&](const std::string& other) {
        return world.order(OrderKind::move, "SHOP", -10, other.c_str());
    };
    world.refused(to("NOBODY"), Errc::unknown_account);
    world.refused(to("UNCLAIMED"), Errc::account_state);
    world.refused(to("CLOSED"), Errc::account_state);
    world.refused(to("unaccounted"), Errc::unknown_account);
    world.refused(to(std::string(holder_account(id_of<CardId>(77)).text())), Errc::unknown_account);
    CHECK(world->execute(to("SHOP")).error().code == Errc::malformed);
    CHECK(world->execute(to("OTHER")));
    CHECK(world->execute(to(holder)));
    CHECK(world.associated("OTHER") == 10);
    CHECK(world.associated(holder.c_str()) == 10);
    world.all_is_right();
}

TEST_CASE("an order takes what the account has, less what is promised to cards", "[orders]")
{
    World world;
    auto card = world.make_card();
    const auto first = world.transfer_status(card, Kind::transfer_in, 400, "SHOP").value().first;
    CHECK(world->account_standing(account_id("SHOP"))->reserved == 400);
    world.refused(world.order(OrderKind::pay_out, "SHOP", -601, "bank"), Errc::insufficient_funds);
    world.refused(world.order(OrderKind::move, "SHOP", -601, "OTHER"), Errc::insufficient_funds);
    world.refused(world.order(OrderKind::adjust, "SHOP", -601, "fees"), Errc::insufficient_funds);
    world.execute(OrderKind::pay_out, "SHOP", -600, "bank").value();
    world.refused(world.order(OrderKind::pay_out, "SHOP", -1, "bank"), Errc::insufficient_funds);
    world.refused(world.order(OrderKind::close, "SHOP"), Errc::account_state);

    world->settle(submission(card.execute(first))).value();
    CHECK(world.associated("SHOP") == 0);
    CHECK(world->account_standing(account_id("SHOP"))->reserved == 0);
    CHECK(world.execute(OrderKind::close, "SHOP"));
    world.all_is_right();
}

TEST_CASE("an account that has something is not closed, and a closed one takes what cards pay",
          "[orders]")
{
    World world;
    auto card = world.make_card();
    world.run(card, Kind::top_up, 100);
    world.refused(world.order(OrderKind::close, "SHOP"), Errc::account_state);
    world.execute(OrderKind::pay_out, "SHOP", -1000, "bank").value();
    world.execute(OrderKind::close, "SHOP").value();
    CHECK(!world->account_standing(account_id("SHOP"))->key);
    CHECK(world.settle(card.pay(30, "SHOP")).value().settled);
    CHECK(world.associated("SHOP") == 30);
    CHECK(world.audit().unclaimed.at(account_id("SHOP")) == 30);

    // Opened again for somebody else, who gets what has come: every audit says so.
    world->execute(world.with_key(OrderKind::open, "SHOP", 20, 20)).value();
    world.refused(world.order(OrderKind::pay_out, "SHOP", -30, "bank"), Errc::bad_signature);
    const auto out = world.signed_by(world.order(OrderKind::pay_out, "SHOP", -30, "bank"), 20);
    CHECK(world->execute(out));
    const auto report = world.audit();
    REQUIRE(!report.fault);
    CHECK(report.unclaimed.empty());
    REQUIRE(report.claims.size() == 1);
    CHECK(report.claims[0].account == account_id("SHOP"));
    CHECK(report.claims[0].amount == 30);
    CHECK(world.sum_of_books() == 0);
}

TEST_CASE("I19: without the word of its owner an account gives nothing", "[orders]")
{
    World world;
    const auto good = world.order(OrderKind::pay_out, "SHOP", -10, "bank");
    auto bad = good;
    SECTION("none")
    {
        bad.owner.reset();
        return world.refused(bad, Errc::consent_needed);
    }
    SECTION("of somebody else")
    {
        bad = world.signed_by(good, 10);
    }
    SECTION("to another issuer")
    {
        bad = World::signed_by(good, 9, SoftwareCardRoot(seed(77)).public_key());
    }
    SECTION("to another amount")
    {
        bad.order.amount = Amount::minor_units(-11);
    }
    SECTION("to another receiver")
    {
        bad.order.other = account_id("thief");
    }
    SECTION("of another account")
    {
        bad.order = world.order(OrderKind::pay_out, "OTHER", -10, "bank").order;
    }
    SECTION("under another reference")
    {
        bad.order.reference = Reference::parse("gift");
    }
    SECTION("with any bit flipped")
    {
        for (std::size_t bit = 0; bit < 8 * Signature::size; bit += 37) {
            std::array<std::uint8_t, Signature::size> bytes{};
            std::ranges::copy(good.owner->bytes(), bytes.begin());
            bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1U << bit % 8);
            bad.owner = Signature(bytes);
            world.refused(bad, Errc::bad_signature);
        }
    }
    world.refused(bad, Errc::bad_signature);
    CHECK(world->execute(good));
    world.all_is_right();
}

TEST_CASE("what is no order of this issuer is refused before anything else", "[orders]")
{
    World world;
    auto order = world.order(OrderKind::pay_in, "SHOP", 10, "bank");
    auto bad = order;
    bad.owner = Signature{};  // a kind that needs no owner refuses one
    world.refused(bad, Errc::malformed);
    bad = order;
    bad.order.amount = {};
    world.refused(bad, Errc::malformed);
    bad = order;
    bad.order.unit = Unit::from_code(840).value();
    world.refused(bad, Errc::wrong_unit);
    for (const auto kind : {OrderKind::adjust, OrderKind::recover, OrderKind::reset_key,
                            OrderKind::recover_holder, OrderKind::write_off}) {
        const bool names = names_card(kind);
        const auto card = id_of<CardId>(1).to_string();
        bad = world.order(kind, "SHOP", kind == OrderKind::write_off || sets_key(kind) ? 0 : 1,
                          sets_key(kind) ? nullptr : (names ? card.c_str() : "fees"));
        CHECK(bad.order.valid());
        bad.order.reference.reset();
        world.refused(bad, Errc::malformed);
    }
    CHECK(world->execute(order));
}

TEST_CASE("I8: orders end at 2^63−1, for an account and for all of them together", "[orders]")
{
    World world;
    world.refused(world.order(OrderKind::pay_in, "SHOP", largest, "bank"), Errc::bad_amount);
    world.refused(world.order(OrderKind::pay_in, "OTHER", largest, "elsewhere"), Errc::bad_amount);
    world.execute(OrderKind::pay_in, "OTHER", largest - 1000, "elsewhere").value();
    world.refused(world.order(OrderKind::pay_in, "OTHER", 1, "bank"), Errc::bad_amount);
    world.refused(world.order(OrderKind::hand_in, "T1", 1, "safe"), Errc::bad_amount);
    world.execute(OrderKind::pay_out, "SHOP", -1, "bank").value();
    CHECK(world.execute(OrderKind::pay_in, "SHOP", 1, "elsewhere"));
    world.all_is_right();
}

TEST_CASE("a key is replaced by the old one alone, and the old one signs nothing more", "[orders]")
{
    World world;
    world.refused(world.with_key(OrderKind::replace_key, "SHOP", 20, 20), Errc::bad_signature);
    const auto old = world.order(OrderKind::pay_out, "SHOP", -10, "bank");
    CHECK(world->execute(world.with_key(OrderKind::replace_key, "SHOP", 20, 9)));
    auto stale = old;
    stale.order.number = 4;
    world.refused(world.signed_by(stale, 9), Errc::bad_signature);
    CHECK(world->execute(world.signed_by(stale, 20)));

    // The owner lost that one: the issuer alone says that this is the owner.
    world.refused(world.with_key(OrderKind::reset_key, "SHOP", 21, 20), Errc::bad_signature);
    CHECK(world->execute(world.with_key(OrderKind::reset_key, "SHOP", 21, 21)));
    world.refused(world.signed_by(world.order(OrderKind::pay_out, "SHOP", -1, "bank"), 20),
                  Errc::bad_signature);
    CHECK(world->execute(world.signed_by(world.order(OrderKind::pay_out, "SHOP", -1, "bank"), 21)));
    const auto report = world.audit();
    REQUIRE(!report.fault);
    REQUIRE(report.without_the_owner.size() == 1);
    CHECK(report.without_the_owner[0].kind == OrderKind::reset_key);
}

TEST_CASE("a key is not replaced twice while a transfer waits that the first one consented to",
          "[orders]")
{
    World world;
    auto card = world.make_card();
    const auto first = world.transfer_status(card, Kind::transfer_in, 400, "SHOP").value().first;
    CHECK(world->execute(world.with_key(OrderKind::replace_key, "SHOP", 20, 9)));
    world.refused(world.with_key(OrderKind::replace_key, "SHOP", 21, 20), Errc::operation_pending);
    world.refused(world.with_key(OrderKind::reset_key, "SHOP", 21, 21), Errc::operation_pending);
    SECTION("until it is executed")
    {
        world->settle(submission(card.execute(first))).value();
        CHECK(world.associated("SHOP") == 600);
    }
    SECTION("until it is voided")
    {
        const auto cancel = world->void_pending(card.id()).value();
        world->settle(submission(card.execute(cancel))).value();
        CHECK(world.associated("SHOP") == 1000);
    }
    SECTION("until it is written off")
    {
        world->deny(card.id()).value();
        world.execute(OrderKind::write_off, "SHOP", 0, card.id().to_string().c_str()).value();
    }
    CHECK(world->execute(world.with_key(OrderKind::replace_key, "SHOP", 21, 20)));
    world.all_is_right();
}

TEST_CASE("a consent counts under the key that was replaced once it has been signed for",
          "[orders]")
{
    World world;
    auto card = world.make_card();
    auto late = world.make_card();
    const auto first = world.transfer_status(card, Kind::transfer_in, 400, "SHOP").value().first;
    const auto reset = GENERATE(OrderKind::replace_key, OrderKind::reset_key);
    const std::uint8_t signer = reset == OrderKind::replace_key ? 9 : 20;
    CHECK(world->execute(world.with_key(reset, "SHOP", 20, signer)));
    CHECK(world->settle(submission(card.execute(first))).value().settled);
    // But for nothing new.
    CHECK(world.transfer_status(late, Kind::transfer_in, 10, "SHOP").error().code ==
          Errc::bad_signature);
    world.all_is_right();
}

TEST_CASE("a till hands in what it holds, numbered apart from the account of its name", "[orders]")
{
    World world;
    auto card = world.make_card();
    world.run(card, Kind::top_up, 500);
    world.open_account(account_id("T1")).value();
    CHECK(world.balance(AccountKind::cash, "T1") == -500);
    const auto some = world.execute(OrderKind::hand_in, "T1", 300, "safe").value();
    CHECK(some.record.order.number == 1);
    CHECK(world.balance(AccountKind::cash, "T1") == -200);
    CHECK(world.outside("safe") == -300);
    const auto rest = world.execute(OrderKind::hand_in, "T1", -50, "safe").value();
    CHECK(rest.record.order.number == 2);
    CHECK(world.balance(AccountKind::cash, "T1") == -250);
    CHECK(world->account_standing(account_id("T1"))->number == 1);
    auto skipped = world.order(OrderKind::hand_in, "T1", 1, "safe");
    ++skipped.order.number;
    world.refused(skipped, Errc::wrong_order_number);
    // A till that has never topped up has a first order, too.
    CHECK(world.execute(OrderKind::hand_in, "T2", 70, "safe")->record.order.number == 1);
    CHECK(world.balance(AccountKind::cash, "T2") == 70);
    const auto report = world.audit();
    REQUIRE(!report.fault);
    CHECK(report.cash == -180);
    CHECK(report.without_the_owner.empty());
    CHECK(world.sum_of_books() == 0);
}

TEST_CASE("a platform without an operation key executes nothing, and shows what was executed",
          "[orders]")
{
    World world;
    const auto before = world.order(OrderKind::pay_out, "SHOP", -10, "bank");
    const auto done = world->execute(before).value();
    const auto next = world.order(OrderKind::pay_out, "SHOP", -10, "bank");
    world.close();
    PlatformSettings settings;
    settings.issuer = world.description();
    settings.clock = [&world] { return world.clock; };
    const auto keyless = Platform::open(world.store().open().value(), settings).value();
    CHECK(keyless->execute(next).error().code == Errc::file_missing);
    CHECK(keyless->execute(before)->ledger_index == done.ledger_index);
}
